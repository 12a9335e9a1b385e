"""What an import name belongs to."""

from __future__ import annotations

import pytest

from kobako.scan.code import names


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("numpy", "numpy"),
        ("numpy.random.mtrand", "numpy"),
        ("cv2", "opencv-python"),
        ("PIL.Image", "pillow"),
        ("yaml", "pyyaml"),
        ("sklearn.metrics", "scikit-learn"),
        ("skimage", "scikit-image"),
        ("mpl_toolkits.mplot3d", "matplotlib"),
        ("google.protobuf.text_format", "protobuf"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("ruamel.yaml", "ruamel-yaml"),
        ("pl_bolts", "lightning-bolts"),
        ("attr", "attrs"),
        ("dateutil.parser", "python-dateutil"),
        ("Crypto.Cipher", "pycryptodome"),
        ("OpenSSL", "pyopenssl"),
        ("serial", "pyserial"),
        ("usb.core", "pyusb"),
        ("zmq", "pyzmq"),
        ("bs4", "beautifulsoup4"),
        ("git", "gitpython"),
        ("dotenv", "python-dotenv"),
        ("pkg_resources", "setuptools"),
        ("hydra", "hydra-core"),
        ("mmseg.apis", "mmsegmentation"),
        ("tensorboardX", "tensorboardx"),
        ("open_clip", "open-clip-torch"),
        ("pytorch_lightning", "pytorch-lightning"),
        ("tree", "dm-tree"),
        ("Bio.SeqIO", "biopython"),
    ],
)
def test_known_for_certain(module: str, distribution: str) -> None:
    found = names.distribution_of(module)
    assert (found.distribution, found.certain, found.hint) == (distribution, True, "")
    assert f"{module}.".startswith(f"{found.module}.")


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("apex", "github.com/NVIDIA/apex"),
        ("clip", "github.com/openai/CLIP"),
        ("detectron2.layers", "github.com/facebookresearch/detectron2"),
        ("pytorch3d.io", "github.com/facebookresearch/pytorch3d"),
        ("MinkowskiEngine", "github.com/NVIDIA/MinkowskiEngine"),
        ("MultiScaleDeformableAttention", "models/ops"),
        ("pointnet2_ops", "pointnet2_ops_lib"),
        ("nvdiffrast.torch", "github.com/NVlabs/nvdiffrast"),
        ("tinycudann", "tiny-cuda-nn"),
        ("spconv.pytorch", "spconv-cu118"),
        ("maskrcnn_benchmark", "maskrcnn-benchmark"),
        ("fused_layer_norm_cuda", "apex"),
        ("pcdet", "OpenPCDet"),
        ("nvidia.dali.ops", "nvidia-dali-cuda120"),
        ("acme", "dm-acme"),
    ],
)
def test_not_certain_but_with_a_hint(module: str, hint: str) -> None:
    found = names.distribution_of(module)
    assert (found.distribution, found.certain) == ("", False)
    assert hint in found.hint


@pytest.mark.parametrize(
    "module",
    [
        *("utils", "models", "tests", "docs", "examples", "src", "scripts", "build", "tools", "data", "common", "core"),
        *("lib", "test", "google", "google.cloud", "pyannote", "no_such_module_anywhere", ""),
    ],
)
def test_nobody_owns_it(module: str) -> None:
    assert names.distribution_of(module) == names.Name("", certain=False)


@pytest.mark.parametrize(
    "module",
    [
        *("os.path", "__future__", "__main__", "dataclasses", "zoneinfo", "tomllib", "distutils.core", "imp", "cgi"),
        *("asyncore", "lib2to3", "urllib2", "cPickle", "ConfigParser", "__builtin__", "Tkinter", "StringIO", "Queue"),
    ],
)
def test_comes_with_some_python(module: str) -> None:
    assert names.is_standard(module)


@pytest.mark.parametrize("module", ["numpy", "six", "typing_extensions", "importlib_metadata", "osgeo", "oslo"])
def test_comes_with_no_python(module: str) -> None:
    assert not names.is_standard(module)


@pytest.mark.parametrize(
    ("module", "expected"),
    [("google", True), ("google.cloud", True), ("google.cloud.storage", False), ("numpy", False)],
)
def test_namespaces(module: str, expected: bool) -> None:
    assert names.is_above(module) is expected

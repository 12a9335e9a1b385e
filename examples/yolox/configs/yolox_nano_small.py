"""A YOLOX of Nano's size on a small data set in COCO's format: a hundred iterations, on a GPU or without one.

YOLOX 0.3.0 trains on GPUs alone: its trainer, its loader of batches and its evaluator name CUDA. An experiment of
YOLOX may bring a trainer and an evaluator of its own, and that is all that is done here. Where there is a GPU, YOLOX's
own do the work, one process per GPU as ever (written for that, and not tried yet).
"""

import os
import time

import torch
import yolox.core.trainer
from yolox.core import Trainer
from yolox.evaluators import COCOEvaluator
from yolox.exp import Exp as YoloxExp
from yolox.utils import postprocess


class Batches:
    """Takes batches from the loader as YOLOX's DataPrefetcher does, and leaves them where they are."""

    def __init__(self, loader):
        self.loader = iter(loader)

    def next(self):
        images, targets, _, _ = next(self.loader)
        return images, targets


class AnyTrainer(Trainer):
    """Trains on the CPU where there is no GPU, and writes its losses to TensorBoard (YOLOX writes its scores alone)."""

    def __init__(self, exp, args):
        super().__init__(exp, args)
        if not torch.cuda.is_available():
            torch.set_num_threads(1)  # equal results on every machine, and no threads that wait for each other
            self.device = "cpu"
            self.local_rank = -1  # torch.cuda.set_device() takes a negative number for: leave it as it is
            yolox.core.trainer.DataPrefetcher = Batches

    def after_iter(self):
        if self.rank == 0 and self.args.logger == "tensorboard":
            step = self.progress_in_iter + 1
            for name in ("total_loss", "iou_loss", "conf_loss", "cls_loss"):
                self.tblogger.add_scalar("train/" + name, float(self.meter[name].latest), step)
            self.tblogger.add_scalar("train/lr", self.meter["lr"].latest, step)
        super().after_iter()


class AnyEvaluator(COCOEvaluator):
    def evaluate(self, model, distributed=False, half=False, **others):
        if torch.cuda.is_available():
            return super().evaluate(model, distributed, half, **others)
        found = []
        began = time.time()
        for images, _, shapes, ids in self.dataloader:
            with torch.no_grad():
                outputs = postprocess(model.eval()(images.float()), self.num_classes, self.confthre, self.nmsthre)
            found.extend(self.convert_to_coco_format(outputs, shapes, ids))
        times = torch.tensor([time.time() - began, 0.0, len(self.dataloader)])
        return self.evaluate_prediction(found, times)


class Exp(YoloxExp):
    def __init__(self):
        super().__init__()
        self.exp_name = os.path.splitext(os.path.basename(__file__))[0]
        self.seed = 0
        self.data_dir = "data/coco"
        # plain convolutions: the depthwise ones that YOLOX-Nano has are slow on a CPU
        self.depth = 0.33
        self.width = 0.25
        self.input_size = (160, 160)
        self.test_size = (160, 160)
        self.multiscale_range = 0
        self.data_num_workers = 0
        # so few iterations learn more from pictures as they are
        self.mosaic_prob = 0.0
        self.enable_mixup = False
        self.hsv_prob = 0.0
        self.max_epoch = 10
        self.no_aug_epochs = 1
        self.warmup_epochs = 1
        self.basic_lr_per_img = 0.05 / 8.0
        self.print_interval = 5
        self.eval_interval = 5
        self.save_history_ckpt = False

    def get_trainer(self, args):
        return AnyTrainer(self, args)

    def get_evaluator(self, batch_size, is_distributed, testdev=False, legacy=False):
        return AnyEvaluator(
            dataloader=self.get_eval_loader(batch_size, is_distributed, testdev, legacy),
            img_size=self.test_size,
            confthre=self.test_conf,
            nmsthre=self.nmsthre,
            num_classes=self.num_classes,
            testdev=testdev,
        )

    def random_resize(self, data_loader, epoch, rank, is_distributed):
        if torch.cuda.is_available():
            return super().random_resize(data_loader, epoch, rank, is_distributed)
        return self.input_size

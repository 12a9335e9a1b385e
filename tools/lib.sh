# What tools/demo and tools/test share. Sourced by them, in the root of the checkout.

# twice quiet: once still warns of every folder of find-links that lacks a package
pip_install=(.venv/bin/python -m pip install -qq --disable-pip-version-check)

# find_python [MODULE...]: the first Python 3.10 or later that has these modules
find_python() {
  local name check='import sys; [__import__(name) for name in sys.argv[1:]]; sys.exit(sys.version_info < (3, 10))'
  for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
    if "$name" -c "$check" "$@" 2>/dev/null; then
      "$name" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

"""Generates the contracts while the package is built, and puts the files that they come from beside them."""

import pathlib
import shutil

import grpc_tools.protoc
from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).parent
CONTRACTS = ("declaration", "funding", "settlement")


def contracts_root():
    """The contracts of this repository, or a copy of them that stands beside this file."""
    for root in (HERE / "proto", HERE.parents[2] / "proto"):
        if (root / "samenloop").is_dir():
            return root
    raise SystemExit("there is no folder proto: build from the repository, or put a copy of it beside setup.py")


class GenerateContracts(build_py):
    def run(self):
        super().run()
        root, out = contracts_root(), pathlib.Path(self.build_lib)
        files = [path for name in CONTRACTS for path in sorted((root / "samenloop" / name).rglob("*.proto"))]
        for path in files:
            kept = out / "samenloop_client" / "proto" / path.relative_to(root)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
        arguments = ["protoc", f"-I{root}", f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}"]
        if grpc_tools.protoc.main([*arguments, *map(str, files)]) != 0:
            raise SystemExit("the contracts could not be generated")


setup(cmdclass={"build_py": GenerateContracts})

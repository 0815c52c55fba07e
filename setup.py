"""The packages; everything else of the project is said in pyproject.toml.

The folder `datasets/` is installed as `reid_datasets`: a top-level package called `datasets` would
overwrite the well-known library of that name. Discovery in pyproject.toml cannot rename, so it is
asked for here. Folders without Python, such as recipes, are packages too: their files are
installed.
"""

from setuptools import find_namespace_packages, setup

NO_CODE = ["*.__pycache__", "*.__pycache__.*"]
OURS = ["harness*", "ieee*", "baselines*", "leaderboard_app*"]

setup(
    packages=[
        *find_namespace_packages(include=OURS, exclude=NO_CODE),
        *(
            f"reid_{package}"
            for package in find_namespace_packages(include=["datasets*"], exclude=NO_CODE)
        ),
    ]
)

"""Checks that a method keeps the contract of `harness/spec/method.py`, for its author's own tests.

from harness.conformance import check_method
check_method(INFO, config={"backbone": "resnet18"})
"""

from __future__ import annotations

from harness.conformance.checks import CHECKS, check_method
from harness.conformance.learning import Learned, learns
from harness.conformance.subject import Subject

__all__ = ["CHECKS", "Learned", "Subject", "check_method", "learns"]

"""The guides of docs/, read on the page."""

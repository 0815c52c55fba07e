"""What is done: a run planned, carried out stage by stage, scored and measured."""

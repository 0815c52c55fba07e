"""What `harness.rerank` is made of: neighbours found strip by strip, their sets as sparse rows."""

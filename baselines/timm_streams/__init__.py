"""Any timm backbone as a method: one or three streams, five fusions, five losses."""

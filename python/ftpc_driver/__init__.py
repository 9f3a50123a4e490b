"""The Python side of ftpc's accelerate engine: a process per rank; JSON in, JSON lines out."""

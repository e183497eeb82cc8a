"""The evidence: is it better, by how much, and how do we know it."""

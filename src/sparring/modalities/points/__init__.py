"""Points in the plane, or in any few dimensions: (dimensions,)."""

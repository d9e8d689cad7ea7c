"""Image files of every usual kind, as grey levels and as masks."""

"""What the pages share: the running example, drawing, and gradient checks with their pictures.

The pages import it, and it imports the engine; nothing imports the pages.
"""

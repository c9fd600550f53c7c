"""Pictures inside the page's HTML: no route has to serve them, and no file has to be deleted."""

import base64
from io import BytesIO

from PIL import Image


def data_url(image: Image.Image) -> str:
    """Return a picture as a data URL."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

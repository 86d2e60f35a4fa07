"""The shared finance vectors by id, for table tests."""

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "data" / "vectors" / "finance.json").read_text(encoding="utf-8"))["vectors"]
}

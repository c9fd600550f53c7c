"""A page of Gradio without a browser: its events are sent as a browser sends them, or as nobody should."""

import secrets
from typing import Any

import requests


class RawPage:
    """One loaded page. cookies: of its browser."""

    def __init__(self, url: str, cookies: dict[str, str] | None = None):
        self.url, self.cookies = url.rstrip("/"), cookies or {}
        self.config = requests.get(f"{self.url}/config", timeout=60).json()
        self.session_hash = secrets.token_hex(6)
        self.components = {one["id"]: one["props"] for one in self.config["components"]}

    def send(self, elem_id: str, trigger: str, **values: Any) -> requests.Response:
        """Cause an event of a component; values: of its inputs by their ids, the others keep theirs."""
        number, event = self._event(elem_id, trigger)
        data = []
        for one in event["inputs"]:
            props = self.components[one]
            data.append(values.get(props.get("elem_id") or "", props.get("value")))
        body = {"fn_index": number, "data": data, "session_hash": self.session_hash, "event_data": values.get("event")}
        return requests.post(f"{self.url}/run/predict", json=body, cookies=self.cookies, timeout=120)

    def shown(self, elem_id: str, trigger: str, **values: Any) -> dict[str, Any]:
        """As `send`, for an event that must work: what it gives to the components that have ids."""
        answer = self.send(elem_id, trigger, **values)
        assert answer.status_code == 200, answer.text
        _, event = self._event(elem_id, trigger)
        names = [self.components[one].get("elem_id") for one in event["outputs"]]
        return {name: value for name, value in zip(names, answer.json()["data"], strict=True) if name}

    def upload(self, name: str, data: bytes) -> str:
        """Send a file; where Gradio says that it lies."""
        answer = requests.post(f"{self.url}/upload", files={"files": (name, data)}, cookies=self.cookies, timeout=60)
        return str(answer.json()[0])

    def _event(self, elem_id: str, trigger: str) -> tuple[int, dict[str, Any]]:
        [target] = [number for number, props in self.components.items() if props.get("elem_id") == elem_id]
        return next(
            (number, event)
            for number, event in enumerate(self.config["dependencies"])
            if target in event["targets"] and event["trigger"] == trigger and event["backend_fn"]
        )


def sent(path: str, **more: Any) -> dict[str, Any]:
    """Return the payload of a file that a browser has sent before."""
    return {"name": path, "orig_name": "walk.mp4", "size": 1, "data": None, "is_file": True} | more

"""Read or write a user data record from within a job, over the API and with nothing but Python.

python3 examples/scripts/user_data.py put ID '{"batch": 8}'
python3 examples/scripts/user_data.py get ID batch
"""

import base64
import json
import os
import sys
from typing import Any
from urllib.request import Request, urlopen


def request(method: str, record_id: str, body: Any = None) -> Any:
    """Ask the server for a record, or send one. A job finds the server's address and its login in the environment."""
    login = f"{os.environ.get('TORC_USERNAME', '')}:{os.environ.get('TORC_PASSWORD', '')}"
    headers = {"Content-Type": "application/json"}
    if login != ":":
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    data = None if body is None else json.dumps(body).encode()
    url = f"{os.environ['TORC_API_URL']}/user_data/{record_id}"
    with urlopen(Request(url, data=data, headers=headers, method=method)) as answer:
        return json.load(answer)


def main() -> None:
    """``put`` a JSON value into a record, or ``get`` it, or one of its keys, out of it."""
    verb, record_id, *rest = sys.argv[1:]
    record = request("GET", record_id)
    if verb == "put":
        request("PUT", record_id, record | {"data": json.loads(rest[0])})
    else:
        print(json.dumps(record["data"][rest[0]] if rest else record["data"]))


if __name__ == "__main__":
    main()

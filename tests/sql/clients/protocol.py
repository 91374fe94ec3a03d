"""What the clients in Python share: a request per line, an answer per line."""

import json
import sys


def serve(verbs, errors):
    """Carries out requests with the function of their name, until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        verb = verbs[request.pop("do")]
        try:
            answer = verb(**request)
        except errors as error:
            answer = {"error": str(error)}
        print(json.dumps(answer or {}), flush=True)

"""mem0's published Python client against a Hearth server: `mem0_client.py URL KEY`."""

import asyncio
import sys
import time

import loopback

loopback.watch()

import httpx  # noqa: E402
from mem0 import AsyncMemoryClient, MemoryClient  # noqa: E402
from mem0.exceptions import MemoryNotFoundError, ValidationError  # noqa: E402

URL, KEY = sys.argv[1], sys.argv[2]
HOST = f"{URL}/mem0"


def fails(kind, act):
    """Runs what must fail with this exception, and gives it."""
    try:
        done = act()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} did not come: {done}")


def texts(answer):
    return [item["memory"] for item in answer["results"]]


def verbatim(client):
    """What is added without inference is kept word for word, found, changed with history, and taken back."""
    said = [{"role": "user", "content": "Alice has a cat named Biscuit."},
            {"role": "assistant", "content": "Biscuit sleeps on the radiator."},
            {"role": "system", "content": "Always answer in French."}]
    added = client.add(said, user_id="alice", run_id="r1", app_id="zoo", metadata={"city": "Lima"}, infer=False)
    assert texts(added) == [said[0]["content"], said[1]["content"]], added
    assert {item["event"] for item in added["results"]} == {"ADD"}, added
    again = client.add(said[0]["content"], user_id="alice", run_id="r1", infer=False)
    assert again["results"][0]["event"] == "NONE" and again["results"][0]["id"] == added["results"][0]["id"], again

    cat = added["results"][0]["id"]
    one = client.get(cat)
    assert (one["memory"], one["user_id"], one["run_id"], one["app_id"]) == (said[0]["content"], "alice", "r1", "zoo"), one
    assert one["metadata"]["city"] == "Lima" and one["created_at"] and one["updated_at"], one

    found = client.search("What is the cat called?", filters={"user_id": "alice"})
    assert texts(found)[0] == said[0]["content"] and 0 < found["results"][0]["score"] <= 1, found
    assert all("French" not in text for text in texts(found)), found
    for filters in [{"AND": [{"user_id": "alice"}, {"run_id": "r1"}]}, {"user_id": "alice", "app_id": "zoo"},
                    {"user_id": "alice", "city": {"icontains": "lim"}}, {"AND": [{"user_id": "alice"}, {"NOT": [{"city": "Rome"}]}]}]:
        assert said[0]["content"] in texts(client.search("cat Biscuit", filters=filters)), filters
    for filters in [{"user_id": "bob"}, {"user_id": "alice", "run_id": "r2"}, {"user_id": "alice", "city": "Rome"}]:
        assert texts(client.search("cat Biscuit", filters=filters)) == [], filters
    assert texts(client.search("cat Biscuit", filters={"user_id": "alice"}, threshold=1.0, top_k=1))[1:] == []
    assert len(client.search("Biscuit", filters={"user_id": "alice"}, top_k=1)["results"]) == 1

    changed = client.update(cat, text="Alice has a cat named Crumb.", metadata={"city": "Quito"})
    assert changed["memory"].endswith("Crumb.") and changed["app_id"] == "zoo", changed
    assert texts(client.search("cat Crumb", filters={"user_id": "alice"}))[0].endswith("Crumb.")
    client.delete(cat)
    assert [step["event"] for step in client.history(cat)] == ["ADD", "UPDATE", "DELETE"]
    assert client.history(cat)[1]["old_memory"] == said[0]["content"]
    assert all("Crumb" not in text for text in texts(client.search("cat Crumb", filters={"user_id": "alice"})))
    for act in [lambda: client.get(cat), lambda: client.delete(cat), lambda: client.update(cat, text="x")]:
        fails(MemoryNotFoundError, act)


def pages(client):
    """Lists count truly and hold each memory once."""
    for n in range(5):
        client.add(f"Number {n} is a number.", user_id="pam", infer=False, expiration_date="2199-12-31")
    whole = client.get_all(filters={"user_id": "pam"})
    assert whole["count"] == 5 and whole["next"] is None and whole["results"][0]["expiration_date"] == "2199-12-31", whole
    seen = []
    for page in (1, 2, 3):
        part = client.get_all(filters={"user_id": "pam"}, page=page, page_size=2)
        assert part["count"] == 5 and bool(part["next"]) == (page < 3) and bool(part["previous"]) == (page > 1), part
        seen += texts(part)
    assert sorted(seen) == [f"Number {n} is a number." for n in range(5)], seen
    client.delete_all(user_id="pam")
    assert client.get_all(filters={"user_id": "pam"})["count"] == 0
    assert client.get_all(filters={"user_id": "alice"})["count"] > 0


def derived(client):
    """What is added with inference is recorded at once and answered with its event; memories follow."""
    said = "I live in Oslo and I prefer tea to coffee."
    answer = client.add([{"role": "user", "content": said}], user_id="dora", run_id="d")
    assert answer["status"] == "PENDING" and answer["event_id"].startswith("evt_"), answer
    event = httpx.get(f"{URL}/api/v1/events/{answer['event_id']}", headers={"X-API-Key": KEY})
    assert event.json()["content"]["text"] == said, event.text
    end = time.monotonic() + 20
    while not any("Oslo" in text for text in texts(client.search("Where is home?", filters={"user_id": "dora"}))):
        assert time.monotonic() < end, "nothing was derived in 20 s"
        time.sleep(0.2)


def refused(client):
    """Mistakes are told by name, and nothing is stored."""
    said = fails(ValidationError, lambda: client.add("x", user_id="eve", infer=False, expiration_date="tomorrow"))
    assert "expiration_date" in str(said), said
    fails(ValidationError, lambda: client.search("x", filters={"OR": [{"user_id": "a"}, {"user_id": "b"}]}))
    fails(ValidationError, lambda: client.search("x", filters={"user_id": "a"}, threshold=7))
    fails(ValidationError, lambda: client.delete_all())
    fails(ValidationError, lambda: client.add([], user_id="eve"))
    assert client.get_all(filters={"user_id": "eve"})["count"] == 0
    said = fails(ValueError, lambda: MemoryClient(api_key="hk_" + "0" * 52, host=HOST))
    assert "Invalid API key" in str(said), said


def older_shapes():
    """The paths of older clients and of the self-hosted server."""
    with httpx.Client(base_url=HOST, headers={"Authorization": f"Token {KEY}"}) as http:
        def ask(method, path, **more):
            answer = http.request(method, path, **more)
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        body = {"messages": [{"role": "user", "content": "Old Olaf plays chess."}], "user_id": "olaf", "infer": False}
        bare = ask("POST", "/v1/memories/", json=body)
        assert bare[0]["data"]["memory"] == "Old Olaf plays chess.", bare
        question = {"query": "chess", "user_id": "olaf"}
        assert ask("POST", "/v1/memories/search/", json=question)[0]["id"] == bare[0]["id"]
        assert ask("POST", "/v2/memories/search/", json={**question, "output_format": "v1.1"})["results"]
        assert len(ask("GET", "/v1/memories/", params={"user_id": "olaf"})) == 1
        assert ask("GET", "/v1/memories/", params={"user_id": "olaf", "page": 1})["count"] == 1
        assert len(ask("POST", "/v2/memories/", json={"filters": {"AND": [{"user_id": "olaf"}]}})) == 1
        assert ask("POST", "/search", json={**question, "limit": 1})["results"][0]["memory"].startswith("Old Olaf")
        body["messages"][0]["content"] = "Olaf also plays go."
        kept = ask("POST", "/memories", json=body)["results"][0]["id"]
        assert ask("PUT", f"/memories/{kept}", json={"data": "Olaf also plays shogi."})["message"]
        assert ask("GET", f"/memories/{kept}")["memory"] == "Olaf also plays shogi."
        assert len(ask("GET", f"/memories/{kept}/history")) == 2
        assert len(ask("GET", "/memories", params={"user_id": "olaf"})["results"]) == 2
        ask("DELETE", f"/memories/{kept}")
        ask("DELETE", "/memories", params={"user_id": "olaf"})
        assert ask("GET", "/memories", params={"user_id": "olaf"}) == {"results": []}


async def without_waiting():
    """The asynchronous client speaks the same."""
    client = AsyncMemoryClient(api_key=KEY, host=HOST)
    await client.add("Asta grows tulips.", user_id="asta", infer=False)
    found = await client.search("tulips", filters={"user_id": "asta"})
    assert texts(found) == ["Asta grows tulips."], found


def main():
    client = MemoryClient(api_key=KEY, host=HOST)
    for part in (verbatim, pages, derived, refused):
        part(client)
    older_shapes()
    asyncio.run(without_waiting())
    loopback.nothing_was_refused()
    print("NOTE: mem0's client adds, finds, changes, lists, deletes and tells the history")


main()

"""Records the same texts in Hearth and in mem0, asks both the same questions, and prints rates, ratios and recall@10."""

import argparse
import http.client
import json
import os
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import numpy as np
from mem0 import Memory
from tokenizers import Tokenizer

OWNER = "ana"
FOUND = 10
FIRST = "Ada Bruno Chiara Dmitri Esra Farid Greta Hugo Ines Jonas Kaya Leila Marek Nadia Oskar Priya Quentin Rosa Stefan Talia".split()
LAST = "Abel Berg Costa Duarte Engel Fuchs Garcia Haas Ivanov Jensen Kovacs Lund Moretti Novak Okafor Petrov Quist Rossi Sato Torres".split()
CITY = "Lisbon Oslo Graz Porto Ghent Turin Malmo Brno Cadiz Riga".split()
WHAT = {
    "pet": "a grey parrot,an old tortoise,a three-legged cat,a shy greyhound,two rabbits".split(","),
    "bone": "ankle,wrist,collarbone,left arm,kneecap".split(","),
    "instrument": "cello,accordion,trumpet,harp,banjo".split(","),
    "dish": "plum cake,rye bread,fish stew,almond biscuits,lentil soup".split(","),
    "food": "peanuts,shellfish,strawberries,sesame,celery".split(","),
    "job": "a lighthouse keeper,a tram driver,a beekeeper,a piano tuner,a glass blower".split(","),
}
# What is said, and how it is asked for in other words.
SAID = [
    ("pet", "{who} adopted {what} from the shelter in {city}.", "Which animal lives with {who}?"),
    ("bone", "{who} broke the {what} while skiing near {city}.", "How did {who} get injured?"),
    ("instrument", "{who} takes lessons on the {what} from a teacher in {city}.", "What music does {who} practise?"),
    ("dish", "{who} makes {what} on Sundays for the neighbours in {city}.", "What does {who} like to cook or bake?"),
    ("food", "{who} is allergic to {what} and carries medicine in {city}.", "What must {who} not eat?"),
    ("job", "{who} earns a living as {what} in {city}.", "What is the profession of {who}?"),
]


def corpus(count):
    """Texts, and a question with its one right text for each; every pair of person and subject comes once."""
    pairs = []
    for number in range(count):
        person, (kind, text, question) = number // len(SAID), SAID[number % len(SAID)]
        last, first = divmod(person, len(FIRST))
        who = f"{FIRST[first]} {LAST[last % len(LAST)]}" + ("" if last < len(LAST) else f" {last // len(LAST) + 1}.")
        draw = number * 2_654_435_761 % 2**32
        what = WHAT[kind][draw % 5]
        said = text.format(who=who, what=what, city=CITY[draw // 5 % 10])
        pairs.append((said, question.format(who=who)))
    order = sorted(range(count), key=lambda number: number * 2_246_822_519 % 2**32)
    return [pairs[number] for number in order]


class MiniLm:
    """all-MiniLM-L6-v2 from its safetensors, so that both sides have the same weights; one text at a time."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(128)
        data = (folder / "model.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        self.weights = {}
        for name, entry in json.loads(data[8 : 8 + length]).items():
            if entry.get("dtype") == "F32":
                start, end = (8 + length + offset for offset in entry["data_offsets"])
                self.weights[name] = np.frombuffer(data[start:end], dtype="<f4").reshape(entry["shape"])

    def layer(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def vector(self, text):
        ids, w = self.tokenizer.encode(text).ids, self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0]
        x = self.norm("embeddings.LayerNorm", x + w["embeddings.position_embeddings.weight"][: len(ids)])
        for number in range(6):
            at = f"encoder.layer.{number}"
            heads = [
                self.layer(f"{at}.attention.self.{part}", x).reshape(len(ids), 12, 32).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            ]
            scores = heads[0] @ heads[1].transpose(0, 2, 1) / np.sqrt(32)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = scores / scores.sum(-1, keepdims=True) @ heads[2]
            mixed = mixed.transpose(1, 0, 2).reshape(len(ids), 384)
            x = self.norm(f"{at}.attention.output.LayerNorm", x + self.layer(f"{at}.attention.output.dense", mixed))
            inner = self.layer(f"{at}.intermediate.dense", x)
            inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
            x = self.norm(f"{at}.output.LayerNorm", x + self.layer(f"{at}.output.dense", inner))
        mean = x.mean(0)
        return (mean / np.linalg.norm(mean)).tolist()


def erf(x):
    """Abramowitz and Stegun 7.1.26: off by 1.5e-7 at most."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - poly * np.exp(-x * x))


class Table:
    """What mem0 asks for vectors: all of them are there already, so its clock holds none of the model's time."""

    def __init__(self, vectors):
        self.vectors = vectors

    def embed(self, text, memory_action=None):
        return self.vectors[text]

    def embed_batch(self, texts, memory_action="add"):
        return [self.vectors[text] for text in texts]


class Mem0:
    name = "mem0"

    def __init__(self, place, vectors):
        store = {"collection_name": "bench", "embedding_model_dims": 384, "path": str(place / "qdrant"), "on_disk": True}
        self.memory = Memory.from_config(
            {
                "vector_store": {"provider": "qdrant", "config": store},
                "embedder": {"provider": "openai", "config": {"model": "table", "embedding_dims": 384}},
                "history_db_path": str(place / "mem0.db"),
            }
        )
        self.memory.embedding_model = Table(vectors)

    def record(self, texts):
        self.memory.add([{"role": "user", "content": text} for text in texts], user_id=OWNER, infer=False)

    def ask(self, question):
        found = self.memory.search(question, top_k=FOUND, threshold=0.0, filters={"user_id": OWNER})
        return [item["memory"] for item in found["results"]]


class Hearth:
    name = "Hearth"

    def __init__(self, url, key):
        self.address, self.key = urlsplit(url).netloc, key
        self.connections = []

    def post(self, path, body):
        connection = self.connections.pop() if self.connections else http.client.HTTPConnection(self.address)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        self.connections.append(connection)
        if answer.status not in (200, 201):
            sys.exit(f"Hearth answered {answer.status}: {text[:300]}")
        return json.loads(text)

    def record(self, texts):
        who = {"type": "human", "id": OWNER}
        shared = {"session_id": "talk", "channel": "private", "kind": "note", "actor": who, "user_id": OWNER}
        self.post("/api/v1/events/batch", {"events": [{**shared, "content": {"text": text}} for text in texts]})

    def ask(self, question, whole=False):
        body = {"query": question, "user_id": OWNER, "limit": FOUND, "neighbours": 0}
        answer = self.post("/api/v1/memories/search", body)
        return answer if whole else [item["text"] for item in answer["items"]]

    def wait_for_vectors(self, total):
        missing = total
        while missing:
            time.sleep(0.5)
            missing = self.ask("anything", whole=True)["missing_vectors"]
            progress("Hearth embeds", total - missing, total)


def progress(what, done, total):
    end = "\r" if sys.stderr.isatty() else "\n"
    if sys.stderr.isatty() or done % max(1, total // 10) == 0:
        print(f"{what}: {done} of {total}", end=end, file=sys.stderr, flush=True)


def ingest(side, texts):
    """Texts a second in requests of a hundred, until each is acknowledged."""
    started = time.perf_counter()
    for first in range(0, len(texts), 100):
        side.record(texts[first : first + 100])
        progress(f"{side.name} records", first, len(texts))
    return len(texts) / (time.perf_counter() - started)


def recall(side, asked):
    """Share of questions whose one right text is among the first ten."""
    return sum(text in side.ask(question) for text, question in asked) / len(asked)


def searches(side, asked, clients):
    """Searches a second of so many clients at once, each question once; the vectors of all are known by now."""
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda pair: side.ask(pair[1]), asked))
    return len(asked) / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser()
    for name in ("hearth", "model", "place"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("texts", "questions", "clients", "rounds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    pairs = corpus(options.texts)
    asked = pairs[:: max(1, len(pairs) // options.questions)][: options.questions]
    model, vectors, wanted = MiniLm(Path(options.model)), {}, [text for text, _ in pairs] + [q for _, q in asked]
    for number, text in enumerate(wanted):
        vectors[text] = model.vector(text)
        progress("vectors for mem0", number, len(wanted))
    sides = [Mem0(Path(options.place), vectors), Hearth(options.hearth, os.environ["HEARTH_KEY"])]
    texts = [text for text, _ in pairs]
    rates = [ingest(side, texts) for side in sides]
    started = time.perf_counter()
    sides[1].wait_for_vectors(len(texts))
    embedded = time.perf_counter() - started
    found = [recall(side, asked) for side in sides]
    rounds = [[searches(side, asked, options.clients) for side in sides] for _ in range(options.rounds)]
    speeds = [median(round[at] for round in rounds) for at in (0, 1)]
    print(f"\n{len(texts)} texts of one owner, {len(asked)} questions in other words, {options.clients} clients")
    print(f"{'':28}{'mem0':>12}{'Hearth':>12}{'ratio':>10}")
    print(f"{'recorded a second':28}{rates[0]:12.0f}{rates[1]:12.0f}{rates[1] / rates[0]:10.1f}")
    print(f"{'searches a second':28}{speeds[0]:12.0f}{speeds[1]:12.0f}{speeds[1] / speeds[0]:10.1f}")
    print(f"{'recall@10':28}{found[0]:12.3f}{found[1]:12.3f}")
    each = [f"{round[1] / round[0]:.1f}" for round in rounds]
    print(f"ratio of searches by round: {', '.join(each)}; Hearth's vectors were there {embedded:.1f} s after the last answer")


main()

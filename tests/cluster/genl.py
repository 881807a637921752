# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks the module's netlink family with nothing but sockets. Runs in a guest, beside a copy of
module/uapi/mdcluster.h, from which it has all numbers:

    genl.py HEADER dump            the arrays, as JSON
    genl.py HEADER attach          attaches, prints what came of it, and holds on; reads nothing
    genl.py HEADER strict agent|other   sends what must be refused; prints each that was not
    genl.py HEADER fuzz SEED COUNT sends rubbish
    genl.py HEADER verdicts SEED COUNT [propose]   attaches, prints what came of it, and sends
                                   verdicts on no proposal, good and bad; with "propose" waits for a
                                   proposal, prints it and what a dump shows of it, and refuses it
                                   after them. Prints each that was not answered as it should be,
                                   and "end"
    genl.py HEADER join            joins the group "events" and prints what came of it
    genl.py HEADER watch SECONDS   prints the events that come, one JSON object a line
"""
import errno
import json
import os
import random
import re
import socket
import struct
import sys
import time

NETLINK_GENERIC, SOL_NETLINK = 16, 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NLMSG_ERROR, NLMSG_DONE, GENL_ID_CTRL = 2, 3, 16
REQUEST, ACK, DUMP = 1, 4, 0x300
BUFFER = 32768


def numbers(path):
    """The values of all enumerations in a header of this simple form."""
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = {}
    for body in re.findall(r"enum \w+ \{(.*?)\}", text, flags=re.S):
        value = -1
        for item in filter(None, (part.strip() for part in body.split(","))):
            name, _, given = (word.strip() for word in item.partition("="))
            value = int(given) if given else value + 1
            found[name] = value
    return found


def attr(kind, data=b""):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attrs(data):
    """[(type, payload)], as long as they are well formed."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        if length < 4 or length > len(data):
            raise ValueError(f"an attribute of {length} bytes in {len(data)}")
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]
    if data:
        raise ValueError("trailing bytes")


class Genl:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.settimeout(10)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            self.sock.setsockopt(SOL_NETLINK, option, 1)
        self.port = self.sock.getsockname()[0]
        self.seq = 0

    def send(self, family, cmd, body=b"", flags=ACK, version=1):
        self.seq += 1
        message = struct.pack("BBH", cmd, version, 0) + body
        self.sock.send(struct.pack("IHHII", 16 + len(message), family, REQUEST | flags,
                                   self.seq, 0) + message)

    def messages(self):
        """(type, seq, payload) of one datagram."""
        data = self.sock.recv(BUFFER)
        while len(data) >= 16:
            length, kind, _, seq, _ = struct.unpack_from("IHHII", data)
            yield kind, seq, data[16:length]
            data = data[(length + 3) & ~3:]

    def answer(self):
        """(errno, text) of the acknowledgement of what was sent last."""
        while True:
            for kind, seq, payload in self.messages():
                if kind == NLMSG_ERROR and seq == self.seq:
                    text = dict(attrs(payload[20:])).get(1, b"").rstrip(b"\0").decode()
                    return -struct.unpack_from("i", payload)[0], text

    def ask(self, family, cmd, body=b"", flags=ACK, version=1):
        self.send(family, cmd, body, flags, version)
        return self.answer()

    def dump(self, family, cmd, body=b""):
        """The payloads behind the generic header; OSError for what the kernel refuses."""
        self.send(family, cmd, body, DUMP)
        found = []
        while True:
            for kind, _, payload in self.messages():
                if kind == NLMSG_ERROR or (kind == NLMSG_DONE and payload[:4] != bytes(4)):
                    error = -struct.unpack_from("i", payload)[0]
                    raise OSError(error, os.strerror(error))
                if kind == NLMSG_DONE:
                    return found
                found.append(payload[4:])

    def family(self, name="mdcluster"):
        """(number, {group: number}); LookupError if there is none."""
        for payload in self.dump(GENL_ID_CTRL, 3):
            have = dict(attrs(payload))
            if have.get(2, b"").rstrip(b"\0").decode() == name:
                groups = {}
                for _, group in attrs(have.get(7, b"")):
                    one = dict(attrs(group))
                    groups[one[1].rstrip(b"\0").decode()] = struct.unpack("I", one[2])[0]
                return struct.unpack("H", have[1])[0], groups
        raise LookupError(name)


def u32(data):
    return struct.unpack("I", data)[0]


def u64(data):
    return struct.unpack("Q", data)[0]


def text_of(data):
    assert data.endswith(b"\0"), data
    return data[:-1].decode()


def describe(payload, n):
    """An array of a dump, or an event: what the tests look at."""
    a = dict(attrs(payload))

    def get(name, how):
        value = a.get(n["MDCLUSTER_A_" + name])
        return None if value is None else how(value)

    def fields(nest):
        """Reads the attributes of a nest, as far as they are listed here."""
        known = {n[f"MDCLUSTER_{nest}_{name}"]: (name.lower(), how) for name, how in
                 (("LO", u64), ("HI", u64), ("SLOT", u32), ("STEP", u32), ("DEVICE", u32),
                  ("DEVICE_UUID", bytes.hex), ("DISK", u64), ("SINCE", u64), ("PROPOSAL", u64))
                 if f"MDCLUSTER_{nest}_{name}" in n}
        return lambda data: {known[kind][0]: known[kind][1](value)
                             for kind, value in attrs(data) if kind in known}

    def members(data):
        return {u32(dict(attrs(m))[1]): u32(dict(attrs(m))[2]) for _, m in attrs(data)}

    def counters(data):
        found = {}
        for _, counter in attrs(data):
            c = dict(attrs(counter))
            name = text_of(c[n["MDCLUSTER_COUNTER_NAME"]])
            kind = c.get(n["MDCLUSTER_COUNTER_KIND"])
            found[name + (":" + text_of(kind) if kind else "")] = \
                u64(c[n["MDCLUSTER_COUNTER_VALUE"]])
        return found

    return {"uuid": get("ARRAY_UUID", bytes.hex), "minor": get("ARRAY_MINOR", u32),
            "name": get("ARRAY_NAME", text_of), "cluster": get("CLUSTER_NAME", text_of),
            "slot": get("OUR_SLOT", u32), "slots": get("SLOTS", u32),
            "members": get("MEMBERS", members), "stopped": get("STOPPED", len),
            "in_cluster": get("IN_CLUSTER", len), "receiving": get("RECEIVING", u64),
            "counters": get("COUNTERS", counters), "lost": get("LOST", u64),
            "suspended": get("SUSPENDED", fields("RANGE")),
            "resyncing": get("RESYNCING", fields("RANGE")), "add": get("ADD", fields("ADD")),
            "own_add": get("OWN_ADD", fields("OWN_ADD")), "proposal": get("PROPOSAL", u64),
            "agent": get("AGENT", u32), "event": get("EVENT", u32), "value": get("VALUE", u32),
            "device": get("DEVICE", u32), "device_uuid": get("DEVICE_UUID", bytes.hex),
            "timeout": get("TIMEOUT", u32), "bytes": len(payload)}


def error(number):
    return errno.errorcode.get(number, number) if number else "ok"


def strict(genl, family, n, who):
    """Each request that must be refused, and how."""
    get, attach, verdict = (n["MDCLUSTER_CMD_" + x] for x in ("GET_ARRAYS", "ATTACH", "VERDICT"))
    a = {name[12:]: value for name, value in n.items() if name.startswith("MDCLUSTER_A_")}
    uuid, proposal = attr(a["ARRAY_UUID"], bytes(16)), attr(a["PROPOSAL"], struct.pack("Q", 7))
    yes = attr(a["VERDICT"], struct.pack("I", n["MDCLUSTER_VERDICT_PROCEED"]))
    last = "ENOENT" if who == "agent" else "EPERM"
    rows = [
        ("attach with an attribute", attach, uuid, "EINVAL"),
        ("attach with an unknown attribute", attach, attr(900, bytes(4)), "EINVAL"),
        ("get arrays, but no dump", get, b"", "ENOTSUP"),
        ("no such command", 77, b"", "ENOTSUP"),
        ("an event from outside", n["MDCLUSTER_CMD_EVENT"], b"", "ENOTSUP"),
        ("a whole verdict", verdict, uuid + proposal + yes, last),
        ("a verdict with its reason", verdict, uuid + proposal + yes +
         attr(a["REASON"], b"no\0"), last),
        ("an empty verdict", verdict, b"", "EINVAL" if who == "agent" else "EPERM"),
        ("uuid of 15 bytes", verdict, attr(a["ARRAY_UUID"], bytes(15)) + proposal + yes, None),
        ("uuid of 17 bytes", verdict, attr(a["ARRAY_UUID"], bytes(17)) + proposal + yes, None),
        ("proposal 0", verdict, uuid + attr(a["PROPOSAL"], bytes(8)) + yes, "ERANGE"),
        ("proposal of 4 bytes", verdict, uuid + attr(a["PROPOSAL"], bytes(4)) + yes, None),
        ("verdict 0", verdict, uuid + proposal + attr(a["VERDICT"], bytes(4)), "ERANGE"),
        ("verdict 3", verdict, uuid + proposal + attr(a["VERDICT"], b"\3\0\0\0"), "ERANGE"),
        ("reason without its end", verdict, uuid + proposal + yes + attr(a["REASON"], b"no"),
         None),
        ("reason too long", verdict, uuid + proposal + yes +
         attr(a["REASON"], b"x" * 256 + b"\0"), None),
        ("an attribute that is none of its own", verdict, uuid + proposal + yes +
         attr(a["EVENT"], bytes(4)), "EINVAL"),
        ("an unknown attribute", verdict, uuid + proposal + yes + attr(2000, bytes(4)), "EINVAL"),
        ("trailing bytes", verdict, uuid + proposal + yes + b"\1\0\0", None),
        ("an attribute longer than the message", verdict, struct.pack("HH", 400, 2), None),
    ]
    for what, cmd, body, want in rows:
        got = error(genl.ask(family, cmd, body)[0])
        if got == "ok" or (want and got != want):
            print(f"{what}: {got}, not {want or 'refused'}")
    try:
        genl.dump(family, get, uuid)
        print("a dump with an attribute: ok")
    except OSError as refused:
        if refused.errno != errno.EINVAL:
            print(f"a dump with an attribute: {refused}")


def fuzz(genl, family, seed, count):
    """Nothing comes of it but errors; whether the kernel minds is for its log to say."""
    rng = random.Random(seed)
    genl.sock.settimeout(0.01)
    for _ in range(count):
        body = b""
        for _ in range(rng.randrange(4)):
            data = rng.randbytes(rng.choice((0, 1, 4, 8, 15, 16, 17, 300)))
            body += attr(rng.randrange(40) | rng.choice((0, 0, 0x8000, 0x4000)), data)
        if rng.randrange(4) == 0 and body:
            body = body[:rng.randrange(len(body))]
        try:
            genl.send(family, rng.randrange(9), body, rng.choice((ACK, ACK, DUMP)),
                      rng.randrange(3))
            while True:
                genl.sock.recv(BUFFER)
        except (OSError, TimeoutError):
            pass


# What the checks of a form may answer, whichever comes first.
FORM = {"EINVAL", "ERANGE"}


def verdict_of(rng, n, uuid, proposal):
    """{name of an attribute: its bytes}, in any order: a verdict that is good in itself."""
    fields = {"ARRAY_UUID": uuid, "PROPOSAL": struct.pack("Q", proposal), "VERDICT": struct.pack(
        "I", n["MDCLUSTER_VERDICT_" + rng.choice(("PROCEED", "REFUSE"))])}
    if rng.randrange(2):
        text = bytes(rng.randrange(1, 256) for _ in range(rng.choice((0, 1, 40, 255))))
        fields["REASON"] = text + b"\0"
    return dict(rng.sample(list(fields.items()), len(fields)))


def spoilt(rng, a, fields):
    """(what was done to it, the bytes of a verdict, what may be answered). Half of them are good,
    but for their being on a proposal that nobody has made."""
    name = rng.choice(list(fields))
    must = [field for field in fields if field != "REASON"]
    body = b"".join(attr(a[field], data) for field, data in fields.items())
    pairs = {field: (a[field], data) for field, data in fields.items()}
    none, done = {"ENOENT"}, rng.randrange(18)
    if done == 0:
        pairs[name] = (a[name], rng.randbytes(rng.choice((0, 1, 2, 3, 5, 7, 9, 15, 17, 300))))
        what, want = f"{name} of another length", FORM
        if name == "REASON" and 0 < len(pairs[name][1]) <= 256 and 0 in pairs[name][1]:
            want = none     # it has an end all the same
    elif done == 1:
        pairs["VERDICT"] = (a["VERDICT"], struct.pack("I", rng.choice((0, 3, 4, 1 << 31))))
        what, want = "no such verdict", {"ERANGE"}
    elif done == 2:
        pairs["PROPOSAL"] = (a["PROPOSAL"], bytes(8))
        what, want = "proposal 0", {"ERANGE"}
    elif done == 3:
        gone = rng.choice(must)
        del pairs[gone]
        what, want = f"without {gone}", {"EINVAL"}
    elif done == 4:
        foreign = rng.choice(("PAD", "ARRAY_NAME", "EVENT", "DISK", "OWN_ADD", "COUNTERS"))
        pairs["foreign"] = (a[foreign], rng.randbytes(rng.choice((0, 4, 8))))
        what, want = f"with {foreign}", {"EINVAL"}
    elif done == 5:
        pairs["foreign"] = (rng.randrange(max(a.values()) + 1, 0x4000), rng.randbytes(4))
        what, want = "with an unknown attribute", {"EINVAL"}
    elif done == 6:
        pairs[name] = (a[name] | 0x8000, fields[name])
        what, want = f"{name} as a nest", {"EINVAL"}
    elif done == 7:
        pairs["again"] = (a[name], fields[name])
        what, want = f"{name} twice", none
    elif done == 8:
        # Between two attributes, it may have lost no more than its reason.
        return "cut", body[:rng.randrange(len(body))], FORM | none
    else:
        what, want = "good", none
    return what, b"".join(attr(kind, data) for kind, data in pairs.values()), want


def proposed(genl, family, n):
    """The next proposal of this node."""
    while True:
        for kind, _, payload in genl.messages():
            if kind == family and payload[0] == n["MDCLUSTER_CMD_PROPOSED"]:
                return describe(payload[4:], n)


def verdicts(genl, family, n, seed, count, propose):
    rng = random.Random(seed)
    a = {name[12:]: value for name, value in n.items() if name.startswith("MDCLUSTER_A_")}
    cmd = n["MDCLUSTER_CMD_VERDICT"]
    arrays = [describe(p, n) for p in Genl().dump(family, n["MDCLUSTER_CMD_GET_ARRAYS"])]
    real = [bytes.fromhex(array["uuid"]) for array in arrays]
    pending = None
    if propose:
        genl.sock.settimeout(60)
        pending = proposed(genl, family, n)
        shown = [describe(p, n) for p in Genl().dump(family, n["MDCLUSTER_CMD_GET_ARRAYS"])]
        print(json.dumps({"proposed": pending, "arrays": shown}), flush=True)
        genl.sock.settimeout(10)
    for _ in range(count):
        uuid = rng.choice(real + [bytes(16), rng.randbytes(16)])
        number = rng.choice((1, 7, (1 << 63) + 1, (1 << 64) - 1, rng.getrandbits(64) or 1))
        if pending:
            # As near as can be: another number, or that of another array.
            near = uuid.hex() == pending["uuid"] or rng.randrange(2)
            number = pending["proposal"] + (rng.choice((-1, 1, 1 << 32)) if near else 0)
        what, body, want = spoilt(rng, a, verdict_of(rng, n, uuid, number))
        got = error(genl.ask(family, cmd, body)[0])
        if got not in want:
            print(f"{what}: {got}, not {' or '.join(sorted(want))}: {body.hex()}", flush=True)
    if pending:
        body = b"".join((attr(a["ARRAY_UUID"], bytes.fromhex(pending["uuid"])),
                         attr(a["PROPOSAL"], struct.pack("Q", pending["proposal"])),
                         attr(a["VERDICT"], struct.pack("I", n["MDCLUSTER_VERDICT_REFUSE"])),
                         attr(a["REASON"], b"said so by its agent\0")))
        for want in "ok", "ENOENT":
            got = error(genl.ask(family, cmd, body)[0])
            if got != want:
                print(f"the verdict itself: {got}, not {want}", flush=True)
    print("end", flush=True)


def attached(genl, family, n):
    """Whether it is the agent now; what was answered is printed."""
    number, text = genl.ask(family, n["MDCLUSTER_CMD_ATTACH"])
    print(json.dumps({"port": genl.port, "error": error(number), "text": text}), flush=True)
    return not number


def watch(genl, family, groups, n, seconds):
    genl.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups["events"])
    print("watching", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        genl.sock.settimeout(max(0.01, end - time.monotonic()))
        try:
            for kind, _, payload in genl.messages():
                if kind == family:
                    found = describe(payload[4:], n)
                    found["cmd"] = payload[0]
                    print(json.dumps({k: v for k, v in found.items() if v is not None}),
                          flush=True)
        except TimeoutError:
            pass


def main(header, what, *args):
    n = numbers(header)
    genl = Genl()
    family, groups = genl.family()
    if what == "dump":
        print(json.dumps([describe(p, n) for p in genl.dump(family,
                                                            n["MDCLUSTER_CMD_GET_ARRAYS"])]))
    elif what == "attach":
        # As little room as the kernel allows, all of it taken by answers that nobody reads.
        genl.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        if not attached(genl, family, n):
            return
        for _ in range(200):
            try:
                genl.send(family, 77)
            except OSError:
                break
        time.sleep(3600)
    elif what == "strict":
        if args[0] == "agent":
            for which in ("first", "second"):
                number, text = genl.ask(family, n["MDCLUSTER_CMD_ATTACH"])
                if number:
                    print(f"the {which} ATTACH: {error(number)}: {text}")
                    return
        strict(genl, family, n, args[0])
    elif what == "fuzz":
        fuzz(genl, family, int(args[0]), int(args[1]))
    elif what == "verdicts":
        if attached(genl, family, n):
            verdicts(genl, family, n, int(args[0]), int(args[1]), "propose" in args)
    elif what == "join":
        try:
            genl.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups["events"])
            print("ok")
        except OSError as refused:
            print(error(refused.errno))
    elif what == "watch":
        watch(genl, family, groups, n, float(args[0]))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except LookupError:
        print("no family")
    except OSError as failed:
        print(error(failed.errno))

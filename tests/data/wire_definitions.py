#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# wire_definitions.py - the broker's message tables against Kafka's own definitions
# (common/message/*.json in the kafka-clients jar), field by field and version by version.
# usage: wire_definitions.py WIRE_DUMP KAFKA
#        (the program that prints our tables; tests/kafka/kafka, which fetches the jar)
#
# Versions that we offer below those of the jar are not compared: Kafka's definitions no
# longer have them. Everything else must be the same; each difference is one line.
import glob
import json
import re
import subprocess
import sys
import zipfile

NEVER = 99


def snake(name):
    return re.sub(
        r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def versions(text):
    """ "3+" "0-4" "7" "none" → (first, last) """
    if text == "none":
        return NEVER, NEVER - 1
    match = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
    first = int(match[1])
    last = NEVER if match[2] == "+" else int(match[3] or first)
    return first, last


# Ours: a tree of fields like theirs.


def read_dump(text):
    apis, messages, path = {}, {}, []
    for line in text.splitlines():
        words = line.split()
        if words[0] == "api":
            apis[words[2]] = tuple(int(w) for w in (words[1], words[3], words[4]))
        elif words[0] == "message":
            message = dict(zip(("min", "max", "flexible"), map(int, words[2:])), fields=[])
            messages[words[1]] = message
            path = [message]
        else:
            _, depth, name, kind, child, first, last, null, tag, default = words
            field = {
                "name": name, "type": kind, "child": child, "default": default,
                "first": int(first), "last": int(last), "null": int(null),
                "tag": int(tag), "fields": [],
            }
            del path[int(depth):]
            path[-1]["fields"].append(field)
            path.append(field)
    return apis, messages


def our_fields(fields, version):
    """What a message of this version consists of, as comparable rows."""
    rows = []
    for field in fields:
        if not field["first"] <= version <= field["last"]:
            continue
        tag = field["tag"] if field["tag"] >= 0 else None
        rows.append({
            "name": field["name"], "type": field["type"], "struct": field["child"],
            "nullable": 0 <= field["null"] <= version, "tag": tag,
            "default": field["default"],
            "fields": our_fields(field["fields"], version),
        })
    return rows


# Theirs.


def their_default(field, kind):
    default = field.get("default")
    if kind.startswith("[]") or kind in ("string", "bytes"):
        return "null" if default == "null" else "empty" if not default else "text"
    if kind == "records" or kind == "?struct":
        return "null"
    if kind in ("struct", "uuid", "float64"):
        return "-" if default in (None, "null", "0.0") or kind == "uuid" else default
    if kind == "bool":
        return "1" if str(default).lower() == "true" else "0"
    return str(int(str(default), 0)) if default is not None else "0"


def their_fields(message, fields, version):
    rows = []
    for field in fields:
        first, last = versions(field["versions"])
        if not first <= version <= last:
            continue
        array = field["type"].startswith("[]")
        base = field["type"].removeprefix("[]")
        is_struct = base[0].isupper()
        ever_null = "nullableVersions" in field
        null_first, null_last = versions(field.get("nullableVersions", "none"))
        tag_first, tag_last = versions(field.get("taggedVersions", "none"))
        kind = "struct" if is_struct else base
        kind = "[]" + kind if array else "?" + kind if is_struct and ever_null else kind
        children = field.get("fields") or message["commons"].get(base, [])
        rows.append({
            "name": snake(field["name"]), "type": kind,
            "struct": snake(message["name"]) + "_" + snake(base) if is_struct else "-",
            "nullable": null_first <= version <= null_last,
            "tag": field["tag"] if tag_first <= version <= tag_last else None,
            "default": their_default(field, kind),
            "fields": their_fields(message, children, version),
        })
    return rows


def read_jar(jar):
    messages = {}
    with zipfile.ZipFile(jar) as archive:
        for entry in archive.namelist():
            if not re.fullmatch(r"common/message/\w+\.json", entry):
                continue
            text = archive.read(entry).decode()
            message = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
            message["commons"] = {
                common["name"]: common["fields"]
                for common in message.get("commonStructs", [])}
            messages[snake(message["name"])] = message
    return messages


def differences(where, ours, theirs):
    if [row["name"] for row in ours] != [row["name"] for row in theirs]:
        yield "%s: the fields are %s, Kafka's are %s" % (
            where, [row["name"] for row in ours], [row["name"] for row in theirs])
        return
    for our, their in zip(ours, theirs):
        place = where + "." + our["name"]
        for key in ("type", "struct", "nullable", "tag", "default"):
            if our[key] != their[key]:
                yield "%s: %s is %s, Kafka's is %s" % (place, key, our[key], their[key])
        yield from differences(place, our["fields"], their["fields"])


def latest_stable(message):
    last = versions(message["validVersions"])[1]
    return last - 1 if message.get("latestVersionUnstable") else last


def compare_api(name, key, minimum, maximum, theirs):
    request = theirs.get(snake(name) + "_request")
    if request is None:
        yield "api %s: Kafka has no such request" % name
        return
    first = versions(request["validVersions"])[0]
    if key != request["apiKey"]:
        yield "api %s: its key is %d, Kafka's is %d" % (name, key, request["apiKey"])
    if maximum != latest_stable(request):
        yield "api %s: ends at version %d, Kafka at %d" % (
            name, maximum, latest_stable(request))
    if minimum > first:
        yield "api %s: begins at version %d, Kafka at %d" % (name, minimum, first)


def compare_message(name, ours, their):
    """Yields one list of differences per version compared."""
    first, last = versions(their["validVersions"])
    flexible = min(versions(their["flexibleVersions"])[0], NEVER)
    for version in range(max(first, ours["min"]), min(last, ours["max"]) + 1):
        where = "%s version %d" % (name, version)
        found = []
        if (version >= ours["flexible"]) != (version >= flexible):
            found.append("%s: flexible from %d, Kafka's from %d" % (
                where, ours["flexible"], flexible))
        found += differences(where, our_fields(ours["fields"], version),
                             their_fields(their, their["fields"], version))
        yield found


def compare_document(path, apis):
    """The table of docs/broker.md says what the code offers."""
    with open(path, encoding="utf-8") as file:
        shown = re.findall(r"^\| (\w+) \| (\d+) \| (\d+)(?: to (\d+))? \|$", file.read(), re.M)
    told = {name: (int(key), int(first), int(last or first))
            for name, key, first, last in shown}
    for name in sorted(set(told) | set(apis)):
        if told.get(name) != apis.get(name):
            yield "%s: %s is %s, the code offers %s" % (path, name, told.get(name),
                                                        apis.get(name))


def main(dump, kafka, document):
    folder = subprocess.run([kafka, "fetch"], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    jars = glob.glob(folder + "/kafka-clients-[0-9]*.jar")
    if len(jars) != 1:
        sys.exit("wire_definitions: %s holds no kafka-clients jar" % folder)
    theirs = read_jar(jars[0])
    apis, ours = read_dump(
        subprocess.run([dump], check=True, stdout=subprocess.PIPE, text=True).stdout)
    checks, wrong = len(apis), []
    for name, (key, minimum, maximum) in apis.items():
        wrong += compare_api(name, key, minimum, maximum, theirs)
    wrong += compare_document(document, apis)
    for name, message in ours.items():
        for found in compare_message(name, message, theirs[name]):
            checks += 1
            wrong += found
    for line in wrong:
        print(line)
    print("Checks: %d, Failures: %d, Errors: 0" % (checks, len(wrong)))
    return 0 if checks > 300 and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

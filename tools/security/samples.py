# ruff: noqa
# mypy: ignore-errors
"""What each rule of rules.yml finds (`ruleid:` above the line) and what it leaves alone (`ok:`)."""

# ruleid: text-declared-safe
mark_safe(text)
# ruleid: text-declared-safe
SafeString(text)
# ok: text-declared-safe
format_html("<b>{}</b>", text)

# ruleid: template-unescaped
PAGE = "{{ text|safe }}"
# ok: template-unescaped
PAGE = "{{ text|visible }}"

# ruleid: http-past-the-dialler
httpx.get(url)
# ruleid: http-past-the-dialler
urllib.request.urlopen(url)
# ok: http-past-the-dialler
client.get(url)

# ruleid: redirects-followed
client.get(url, follow_redirects=True)
# ok: redirects-followed
client.get(url, follow_redirects=False)

# ruleid: certificate-not-verified
client.get(url, verify=False)
# ok: certificate-not-verified
client.get(url, verify=True)

# ruleid: ssh-client
paramiko.SSHClient()
# ok: ssh-client
paramiko.Transport(sock)

# ruleid: shell
subprocess.run(line, shell=True)
# ok: shell
subprocess.run([program, argument])

# ruleid: code-from-data
pickle.loads(data)
# ok: code-from-data
json.loads(data)

# ruleid: answer-decoded-unbounded
found = reply.json()
# ok: answer-decoded-unbounded
found = parse_json(reply.body)

# ruleid: everything-caught
try:
    look()
except Exception:
    pass
# ok: everything-caught
try:
    look()
except OSError:
    pass
# ok: everything-caught
try:
    look()
except BaseException:
    stop()
    raise

# ruleid: sql-by-hand
cursor.execute(f"SELECT {name}")
# ruleid: sql-by-hand
cursor.execute("SELECT %s" % name)
# ok: sql-by-hand
cursor.execute("SELECT %s", [name])


# ruleid: csrf-exempt
@csrf_exempt
def view(request):
    return None


# ok: csrf-exempt
@require_POST
def other(request):
    return None


# ruleid: printed
print(banner)
# ok: printed
log.info("%s", banner)

# ruleid: weak-randomness
token = random.choice(letters)
# ok: weak-randomness
token = secrets.choice(letters)

# ruleid: weak-hash
hashlib.md5(data)
# ok: weak-hash
hashlib.md5(data, usedforsecurity=False)
# ok: weak-hash
hashlib.sha256(data)

# ruleid: link-from-the-request
link = request.build_absolute_uri(path)
# ok: link-from-the-request
link = f"{settings.PUBLIC_URL}{path}"

# ruleid: forwarded-address
who = request.headers.get("X-Forwarded-For", "")
# ok: forwarded-address
who = request.META["REMOTE_ADDR"]


class Form:
    class Meta:
        # ruleid: form-of-all-fields
        fields = "__all__"


class Other:
    class Meta:
        # ok: form-of-all-fields
        fields = ("name",)


# ruleid: redirect-to-what-was-asked
answer = redirect(request.GET["next"])
# ok: redirect-to-what-was-asked
answer = redirect("overview")

# ruleid: xml-by-the-standard-library
xml.etree.ElementTree.fromstring(text)
# ok: xml-by-the-standard-library
defusedxml.ElementTree.fromstring(text)

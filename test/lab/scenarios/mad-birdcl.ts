/** A program that passes everything on between the daemon and the real client, until /tmp/mad says what to answer instead. */
export const madBirdcl = `#!/usr/bin/python3
import os, subprocess, sys, threading
client = subprocess.Popen(["/usr/sbin/birdcl", *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
ways = {
    "garbage": lambda answer: b"rubbish\\nbird> ",
    "random bytes": lambda answer: os.urandom(3000000),
    "half of an answer": lambda answer: answer[:len(answer) // 2],
    "half of an answer and a prompt": lambda answer: answer[:len(answer) // 2] + b"bird> ",
    "half of an answer, a newline and a prompt": lambda answer: answer[:len(answer) // 2] + b"\\nbird> ",
    "nothing": lambda answer: b"",
}
def answers():
    while answer := os.read(client.stdout.fileno(), 65536):
        way = open("/tmp/mad").read() if os.path.exists("/tmp/mad") else ""
        sys.stdout.buffer.write(ways[way](answer) if way else answer)
        sys.stdout.buffer.flush()
    os._exit(0)
threading.Thread(target=answers, daemon=True).start()
for line in sys.stdin.buffer:
    client.stdin.write(line)
`;

/**
 * Stands between two ends and spoils what the second one says to the first, as a file tells at the moment: `garbage`, `half`
 * of it and the end, `10 MB` in its place, `slow`, `nothing` until the file says otherwise. Without the file all is passed on.
 * Usage: mangle FILE PROGRAM [ARGUMENT…], or mangle FILE listen ADDRESS connect ADDRESS, with a path or HOST:PORT.
 */
const program = `#!/usr/bin/python3
import os, socket, subprocess, sys, threading, time
def way():
	try: return open(sys.argv[1]).read().strip()
	except OSError: return ""
# None: the end. The garbage is no packet of MQTT either, and ends like an answer of BIRD's client.
def mangled(data, came):
	while way() == "nothing": time.sleep(0.05)
	how = way()
	if how == "garbage": return b"rubbish, " * 20 + b"\\nbird> ", False
	if how == "half": return data[:len(data) // 2], True
	if how == "10 MB": return b"x" * 10000000, False
	if how == "slow": time.sleep(max(0, came + 0.5 - time.monotonic()))
	return data, False
# Read as it comes: what waits behind something slow is no later than that.
def spoil(read, write):
	pieces, ready = [], threading.Semaphore(0)
	def put(data):
		pieces.append((data, time.monotonic()))
		ready.release()
	def gather():
		try:
			while data := read(): put(data)
		except OSError: pass
		put(b"")
	threading.Thread(target=gather, daemon=True).start()
	while True:
		ready.acquire()
		data, came = pieces.pop(0)
		if not data: return
		data, last = mangled(data, came)
		write(data)
		if last: return
def quietly(work, *ends):
	try: work(*ends)
	except OSError: pass
def opened(address):
	if address.startswith("/"): return socket.socket(socket.AF_UNIX), address
	host, port = address.rsplit(":", 1)
	return socket.socket(), (host, int(port))
def serve(ours, target):
	other, address = opened(target)
	def close():
		for end in (ours, other):
			try: end.shutdown(socket.SHUT_RDWR)
			except OSError: pass
	def answers():
		quietly(spoil, lambda: other.recv(65536), ours.sendall)
		close()
	try: other.connect(address)
	except OSError: return ours.close()
	threading.Thread(target=answers, daemon=True).start()
	def questions():
		while data := ours.recv(65536): other.sendall(data)
	quietly(questions)
	close()
if sys.argv[2] == "listen":
	server, address = opened(sys.argv[3])
	server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	if isinstance(address, str) and os.path.exists(address): os.unlink(address)
	server.bind(address)
	server.listen()
	print("listening", flush=True)
	while True: threading.Thread(target=serve, args=(server.accept()[0], sys.argv[5]), daemon=True).start()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
def write(data):
	view = memoryview(data)
	while view: view = view[os.write(1, view):]
def answers():
	quietly(spoil, lambda: os.read(child.stdout.fileno(), 65536), write)
	child.kill()
	os._exit(0)
threading.Thread(target=answers, daemon=True).start()
def questions():
	while data := os.read(0, 65536): child.stdin.write(data)
quietly(questions)
child.stdin.close()
threading.Event().wait()
`;

export const mangleProgram = program;
/** Where it is on a host. */
export const mangle = "/opt/lab/mangle";
/** The file that the relays of the lab look into. */
export const wayFile = "/tmp/way";

/** What a relay can do to an answer, by the fault that it is. */
export const WAYS = { garbage: "garbage", half: "half", "10 MB": "10 MB", slow: "slow", hangs: "nothing" };

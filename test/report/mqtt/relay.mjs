// What `nc HOST PORT` does, for hosts that have none.
import { connect } from "node:net";

const [host, port] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
socket.on("error", (error) => {
	process.stderr.write(`nc: can't connect to remote host (${host}): ${error.code}\n`);
	process.exit(1);
});
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on("close", () => process.exit(0));

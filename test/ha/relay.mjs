// Usage: node relay.mjs SOCKET PORT
// Takes connections on a Unix socket to a port of the network namespace that it runs in.
import { connect, createServer } from "node:net";

const [socket, port] = process.argv.slice(2);
createServer((client) => {
	const server = connect(Number(port), "127.0.0.1");
	client.pipe(server).pipe(client);
	client.on("error", () => server.destroy());
	server.on("error", () => client.destroy());
}).listen(socket, () => process.stdout.write("listening\n"));

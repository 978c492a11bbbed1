import { createConnection } from "node:net";
import { connect, PacketReader, publish, TYPE } from "./mqtt-packets.ts";
import { listen, report } from "./report.ts";
import { Session } from "./session.ts";

/**
 * An ordinary MQTT client of the broker on its host: publishes the same few messages again and again, at QoS 0.
 * Arguments: messages a second, then topic and payload of each. Run by `Neighbor`.
 */
const [, perSecond, ...words] = process.argv;
const messages: Buffer[] = [];
for (let index = 0; index < words.length; index += 2)
	messages.push(publish(words[index] ?? "", words[index + 1] ?? ""));

const socket = createConnection(1883, "127.0.0.1");
let sent = 0;
const session = new Session(
	socket,
	1,
	() => undefined,
	() => process.exit(1),
);
const reader = new PacketReader(({ type }) => {
	if (type === TYPE.connack) report({ kind: "ready" });
});
socket.on("data", (chunk) => reader.push(chunk));
socket.on("connect", () => session.send(connect(`flood-${process.pid}`)));

listen((word) => {
	if (word === "begin")
		session.flood(
			(index) => {
				sent = index + 1;
				return messages[index % messages.length] ?? Buffer.alloc(0);
			},
			{ perSecond: Number(perSecond) },
		);
	else report({ kind: "count", count: sent });
});

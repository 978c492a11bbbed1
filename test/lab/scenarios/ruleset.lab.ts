import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAddress } from "../../../src/lib/address.ts";
import type { Effect } from "../../../src/model/rule-effect.ts";
import { type Handshake, peerOpens } from "../../../src/ruleset/bgp-packets.ts";
import { unreviewed } from "../../../src/ruleset/obstacles.ts";
import { describeHit } from "../../../src/ruleset/rule-text.ts";
import { parseRuleset, showsDormant, withDormant } from "../../../src/system/nft/ruleset-json.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { type Fate, rulesetCases } from "../rulesets.ts";
import { listsBits, namesDevices } from "../world.ts";

/** One server: BGP's port, and a transparent proxy's two; each says what it is. */
const server = `
import select, socket
names = {}
for port, name in ((179, b"bgp"), (7892, b"proxy"), (7893, b"proxy"), (41231, b"proxy")):
    s = socket.socket(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if name == b"proxy":
        s.setsockopt(41, 75, 1)
        s.setsockopt(socket.SOL_IP, 19, 1)
    s.bind(("::", port))
    s.listen()
    names[s] = name
print("listening", flush=True)
while True:
    for s in select.select(list(names), [], [])[0]:
        connection, peer = s.accept()
        connection.sendall(names[s])
        connection.close()
`;

/** Less than the second after which a SYN is sent again: one packet decides. */
const client = `
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(0.7)
try:
    s.connect((sys.argv[1], 179))
    s.settimeout(10)
    print(s.recv(10).decode() or "timeout")
except ConnectionRefusedError:
    print("refused")
except (TimeoutError, socket.timeout, ConnectionResetError):
    print("timeout")
`;

/** What the walk says, in the client's words: one fate where it is sure, several where it is not. */
function foretell({ syn, answer }: Handshake): Fate[] {
	const fates: Fate[] = [];
	for (const { effect, certain } of [...syn.hits, ...answer.hits]) {
		const fate = FATES[effect];
		if (!fate) continue;
		fates.push(fate);
		if (certain) return fates;
	}
	return [...fates, "bgp"];
}

const FATES: { readonly [Name in Effect]?: Fate } = {
	drop: "timeout",
	reject: "refused",
	tproxy: "proxy",
	redirect: "proxy",
	dnat: "proxy",
};

describe("a walk through the ruleset foretells what becomes of a real SYN", () => {
	let lab: Lab;
	let servers: Process;
	beforeAll(async () => {
		lab = await startLab();
		servers = lab.router.start(["python3", "-c", server], { name: "servers" });
		await servers.says(/^listening$/);
	});
	afterAll(() => lab.stop());

	const each = rulesetCases.map(([name, text, fate, how]) => ({
		name,
		text,
		fate,
		// nft 1.0.6 lists which bits of a byte a rule looks at; later ones do not.
		foretold:
			how === "unsure" && !(listsBits && text.includes("@th,")) ? [...new Set<Fate>([fate, "bgp"])] : [fate],
		family: how === 6 ? (6 as const) : (4 as const),
	}));
	test.each(each)("$name", async ({ text: ruleset, fate, foretold, family }) => {
		await lab.router.nft(`flush ruleset\n${ruleset}`);
		const [own, other] =
			family === 4
				? [network.router.lan, network.speaker.address]
				: [network.router.lan6, network.speaker.address6];

		const listing = await lab.router.run(["nft", "-j", "list", "ruleset"]);
		const read = parseRuleset(listing.stdout);
		const text = await lab.router.run(["nft", "-t", "list", "ruleset"]);
		const parsed = read && (showsDormant(read) ? read : withDormant(read, text.stdout));
		const [peer, local] = [parseAddress(other)?.bytes, parseAddress(own)?.bytes];
		if (!parsed || !peer || !local) throw new Error("the ruleset cannot be read");
		const handshake = peerOpens(parsed, { family, peer, local, interface: network.router.lanInterface });
		const told = [...handshake.syn.hits, ...handshake.answer.hits].map(
			(each) => `${each.certain ? "" : "perhaps "}${each.effect} ${describeHit(each)}`,
		);

		const { stdout } = await lab.speaker.run(["python3", "-c", client, own]);

		servers.mustRun();
		expect({ fate: stdout.trim(), told }).toEqual({ fate, told });
		if (namesDevices || !ruleset.includes('device "'))
			expect({ foretold: foretell(handshake), told }).toEqual({ foretold, told });
		else expect(unreviewed(parsed, [network.router.lanInterface])).toHaveLength(1);
	});
});

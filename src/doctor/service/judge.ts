import { catalogEntry } from "../../model/catalog.ts";
import type { ServiceFacts } from "../../model/service-path.ts";
import type { Facts } from "../facts.ts";
import { type Finding, green, red } from "../finding.ts";
import { type Report, reportOf } from "../judge.ts";
import { collectPeers } from "../known-peers.ts";
import { rootCauses } from "../root-causes.ts";
import { reviewAnnounced } from "./announced.ts";
import { reviewForwarding } from "./forwarding.ts";
import { reviewPackets } from "./packets.ts";
import { type Reviewed, together, told } from "./step.ts";

/** Judges the way of a client's packets to a service and back: what is wrong first comes first. Pure. */
export function judgeService(facts: Facts, service: ServiceFacts): Report {
	const { address, port, portAssumed, from, unread } = service;
	const { steps, findings } = together(
		reviewAnnounced(facts, service),
		reviewForwarding(service),
		reviewPackets(facts, service),
		reviewAttempt(service),
	);
	const broken = findings.filter(({ level }) => level === "red");
	// What is a warning for some clients says nothing about the others.
	const kept = findings.filter(
		({ id }) => !broken.some((cause) => catalogEntry(id)?.dependsOn?.includes(cause.id)),
	);
	const down = kept.some(({ id }) => id === "service-no-session")
		? rootCauses(facts, collectPeers(facts))
		: [];
	const causes = kept.filter((each) => broken.includes(each));
	const fine: Finding[] = kept.length === 0 ? [nothingFound(service)] : [];
	if (unread.length > 0)
		fine.push({
			...green("service", address, "Not everything could be looked at."),
			evidence: unread.map((each) => `not looked at: ${each}`),
		});
	return {
		...reportOf(facts, [...causes, ...down], [...kept.filter((each) => !broken.includes(each)), ...fine]),
		service: { address, port, portAssumed, ...(from === undefined ? {} : { from }), path: steps },
	};
}

/** What a connection of the router's own came to; it passes no forward chain. */
function reviewAttempt({ address, port, attempt }: ServiceFacts): Reviewed {
	if (!attempt) return told("connection", []);
	const { outcome } = attempt;
	if (outcome === "connected") return told("connection", [`the router itself can connect to port ${port}`]);
	if (outcome === "failed")
		return { steps: [{ at: "connection", text: attempt.words, level: "red" }], findings: [] };
	const isRefused = outcome === "refused";
	return told(
		"connection",
		[isRefused ? "refused" : "no answer"],
		[
			red(
				isRefused ? "service-refused" : "service-silent",
				address,
				isRefused
					? `The node refuses TCP port ${port}: packets arrive there, and nothing serves them.`
					: `TCP port ${port} does not answer the router, whose packets are sent to the node.`,
				`on the cluster: are endpoints of the service ready (kubectl get endpointslices -A), on this node too with externalTrafficPolicy: Local? Does it have port ${port}? Is kube-proxy or Cilium ready there, and no NetworkPolicy in the way?${isRefused ? "" : " tcpdump on the node shows where its answers go"}`,
			),
		],
	);
}

function nothingFound({ address, port, attempt, clients }: ServiceFacts): Finding {
	const answers = attempt?.outcome === "connected" ? `TCP port ${port} answers, and nothing` : "Nothing";
	const text = `${answers} on this router keeps clients from the service.`;
	const rest =
		clients.length === 0 ? "no client's packets" : attempt ? "" : "whether it answers: --port PORT";
	return {
		...green("service", address, text),
		...(rest === "" ? {} : { evidence: [`not looked at: ${rest}`] }),
	};
}

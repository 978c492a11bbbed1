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
	if (outcome === "failed") return told("connection", [`the router's own attempt failed: ${attempt.words}`]);
	const advice = `on the cluster: kubectl get endpointslices -A, does the service have endpoints that are ready, and a port ${port}? With externalTrafficPolicy: Local only nodes with such an endpoint answer. Is kube-proxy (or Cilium) ready on the node, and no NetworkPolicy in the way?`;
	const finding =
		outcome === "refused"
			? red(
					"service-refused",
					address,
					`The node refuses connections to TCP port ${port}: the packets arrive, and nothing serves them there.`,
					advice,
				)
			: red(
					"service-silent",
					address,
					`The router itself gets no answer from TCP port ${port}, though its packets are sent to the node.`,
					`${advice} tcpdump on the node shows whether packets arrive and where the answers go`,
				);
	return told("connection", [outcome === "refused" ? "refused by the node" : "no answer"], [finding]);
}

function nothingFound({ address, port, attempt, clients }: ServiceFacts): Finding {
	const text =
		attempt?.outcome === "connected"
			? `The service answers on TCP port ${port}, and nothing on this router keeps clients from it.`
			: "Nothing on this router keeps clients from the service.";
	const rest =
		clients.length === 0
			? "no client's packets were followed: the router's networks are not known"
			: attempt
				? undefined
				: `--port PORT tries a connection from here, and follows packets to that port in place of ${port}`;
	return { ...green("service", address, text), ...(rest === undefined ? {} : { evidence: [rest] }) };
}

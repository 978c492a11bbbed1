/** Which program speaks BGP on the other end. */

/** What `option speaker` takes, and what is found; `frr`, `bird` and `gobgp` where no more than the program is known. */
export const SPEAKERS = [
	"frr-k8s",
	"metallb-frr",
	"metallb-native",
	"cilium",
	"gobgp",
	"calico",
	"frr",
	"bird",
	"other",
] as const;

export type Speaker = (typeof SPEAKERS)[number];

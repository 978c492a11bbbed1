import type { OptionHelp } from "../../config/option-help.ts";

/** What `bgpwarden --help` prints. */
export const HELP = `bgpwarden keeps the BGP sessions between an OpenWrt router (BIRD) and a Kubernetes cluster (MetalLB) up.

Usage: bgpwarden [OPTIONS] COMMAND

See what is going on:
  status [--json]    the state of everything, on one page
  peers [--json]     the BGP peers, one line each
  doctor [--json]    what is wrong, why, and what to do; works without the daemon
  doctor --service ADDRESS [--port N] [--from CLIENT]
                     why a service of the cluster does not answer: its packets' way through the router
  events [--follow]  recent events; --follow waits for more
  trace PEER [--seconds N]
                     show a peer's packets on their way through the firewall, for 30 or N seconds;
                     PEER is a name or an address

Act (the daemon does the work):
  ensure             check the nftables table now and repair it
  release            give up the table: it stays, and anybody can change it, until ensure or a restart
  flush              delete the conntrack entries of BGP and BFD that end at this router
  restart PEER       restart a peer in BIRD; PEER is its name in bird.conf

Set up:
  help OPTION        explain an option of the configuration, or a section (main, mqtt, peer)
  check              list every mistake in the configuration
  render nft         print the nftables table
  render bird        print a bird.conf with the configured peers
  render metallb     print the MetalLB objects that match that bird.conf
  render frr-k8s     print FRR-K8s's objects in their place, for FRR-K8s without MetalLB
  render cilium      print Cilium's objects in their place
  render frr         print the FRR configuration that MetalLB and FRR-K8s make of theirs
    --pool PREFIX    the services' addresses: bird accepts no others, the cluster announces them;
                     twice for IPv4 and IPv6
    --secrets        print passwords, which are masked otherwise
  render bird --check [--live] [--json]
                     compare with BIRD's configuration file; --live: with the running BIRD too
  run                run the daemon in the foreground (the init script does this)

Options:
  --config FILE      configuration, default /etc/config/bgpwarden
  --run-dir DIR      the daemon's state, default /var/run/bgpwarden
  --version          print the version
  --help             print this

Examples:
  bgpwarden status
  bgpwarden events --follow
  bgpwarden restart waukeen
  bgpwarden trace waukeen --seconds 60
  bgpwarden doctor --service 192.168.20.10 --port 443
  bgpwarden help route_mark
  bgpwarden render nft | nft -c -f -
  bgpwarden render metallb --pool 192.168.20.0/24 | kubectl apply -f -

Exit codes:
  0  success
  1  a problem was found, or the request failed
  2  wrong usage
  3  the daemon is not running
  4  the configuration can be used, and does not fit the router
`;

/** What `bgpwarden help OPTION` prints about one option. */
export function helpOfOption({ section, option, expected, fallback, help }: OptionHelp): string {
	const byDefault = fallback === undefined ? "none" : fallback === "" ? "empty" : fallback;
	return `${section}.${option}\n  ${help}\n  accepts  ${expected}\n  default  ${byDefault}\n`;
}

/** What standard error gets for a command line that is wrong: two lines. */
export function usageText(error: string): string {
	return `bgpwarden: ${error}\nbgpwarden --help explains the commands.\n`;
}

/** What `bgpwarden --help` prints. */
export const HELP = `bgpwarden keeps the BGP sessions of an OpenWrt router (BIRD) with a Kubernetes cluster (MetalLB) alive.

Usage: bgpwarden [OPTIONS] COMMAND

Look:
  status [--json]    how everything is, in one page
  peers [--json]     the BGP peers, one line each
  doctor [--json]    what is wrong, why, and what to do; works without the daemon too
  events [--follow]  what happened lately; --follow waits for more
  trace PEER [--seconds N]
                     a peer's packets on their way through the firewall, live, for 30 s or N;
                     PEER is its name or its address

Act (the daemon does the work):
  ensure             look at the nftables table now and put it back if need be
  release            let go of the table: it stays, but anybody can change it, until ensure or a restart
  flush              delete the conntrack entries of BGP and BFD that end at this router
  restart PEER       restart one peer's session in BIRD; PEER is its name in bird.conf

Set up:
  check              read the configuration and name every mistake in it
  render nft         print the nftables table that the configuration asks for
  render bird        print a bird.conf with the configuration's peers
  render metallb     print MetalLB's objects for the cluster, which match that bird.conf
  render frr         print what MetalLB's speaker then gives FRR
    --pool PREFIX    the services' addresses: bird takes no others, metallb has and announces them
  render bird --check [--live] [--json]
                     compare that bird.conf with BIRD's own file; --live: with what BIRD says it runs, too
  run                be the daemon, in the foreground (the init script calls this)

Options:
  --config FILE      configuration, default /etc/config/bgpwarden
  --run-dir DIR      where the daemon keeps its state, default /var/run/bgpwarden
  --version          print the version
  --help             print this

Examples:
  bgpwarden status
  bgpwarden events --follow
  bgpwarden restart waukeen
  bgpwarden trace waukeen --seconds 60
  bgpwarden render nft | nft -c -f -
  bgpwarden render metallb --pool 192.168.20.0/24 | kubectl apply -f -

Exit codes:
  0  fine
  1  a problem was found, or the request failed
  2  the command line is wrong
  3  the daemon is not running
`;

/** What standard error gets for a command line that is wrong: two lines. */
export function usageText(error: string): string {
	return `bgpwarden: ${error}\nbgpwarden --help explains the commands.\n`;
}

// A control server for tailscaled in the lab: Tailscale's own, from its integration tests, with a DERP relay and STUN
// beside it. Everybody who logs in is in the same tailnet; nothing is kept. Argument: the address to serve on.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"

	"tailscale.com/derp/derpserver"
	"tailscale.com/net/stunserver"
	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/key"
)

const (
	controlPort = 8080
	relayPort   = 8443
	stunPort    = 3478
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: control ADDRESS")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(address string) error {
	quiet := func(string, ...any) {}
	relay := derpserver.New(key.NewNode(), quiet)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(relayPort)))
	if err != nil {
		return err
	}
	// Only for its certificate, which clients are told not to check.
	server := httptest.NewUnstartedServer(derpserver.Handler(relay))
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(os.Stderr, "relay: ", 0)
	server.Config.TLSNextProto = make(map[string]func(*http.Server, *tls.Conn, http.Handler))
	server.StartTLS()

	stun := stunserver.New(context.Background())
	if err := stun.Listen(net.JoinHostPort(address, fmt.Sprint(stunPort))); err != nil {
		return err
	}
	go stun.Serve()

	control := &testcontrol.Server{
		Logf:             quiet,
		AllNodesSameUser: true,
		AllOnline:        true,
		ExplicitBaseURL:  fmt.Sprintf("http://%s:%d", address, controlPort),
		DERPMap: &tailcfg.DERPMap{
			OmitDefaultRegions: true,
			Regions: map[int]*tailcfg.DERPRegion{1: {
				RegionID:   1,
				RegionCode: "lab",
				Nodes: []*tailcfg.DERPNode{{
					Name:             "lab",
					RegionID:         1,
					HostName:         address,
					IPv4:             address,
					IPv6:             "none",
					STUNPort:         stunPort,
					DERPPort:         relayPort,
					InsecureForTests: true,
					STUNTestIP:       address,
				}},
			}},
		},
	}
	fmt.Println("serving")
	return http.ListenAndServe(net.JoinHostPort(address, fmt.Sprint(controlPort)), control)
}

/** The article's network and names, and the lab's addresses around them. */
export const network = {
	router: {
		lan: "192.168.1.1",
		lan6: "fd00:1::1",
		iot: "192.168.10.1",
		iot6: "fd00:10::1",
		as: 65001,
		lanInterface: "br-lan",
	},
	speaker: { address: "192.168.1.2", address6: "fd00:1::2", as: 65009 },
	broker: { address: "192.168.10.10", address6: "fd00:10::10" },
	/** The speaker as the router's BIRD calls it. */
	peer: "waukeen",
	/** A service address that the speaker announces. */
	service: "192.168.20.1/32",
	service6: "fd00:20::1/128",
} as const;

/** The real programs of the lab and how they are configured. */
export * from "./programs/bird.ts";
export * from "./programs/calico.ts";
export * from "./programs/firewall.ts";
export * from "./programs/frr.ts";
export * from "./programs/gobgp.ts";
export * from "./programs/hostile.ts";
export * from "./programs/mosquitto.ts";
export * from "./programs/native.ts";
export * from "./programs/stream.ts";
export * from "./programs/ubus.ts";

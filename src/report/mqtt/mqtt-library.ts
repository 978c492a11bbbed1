/**
 * The npm packages of the MQTT connection behind one door. The build bundles this file apart, with the shims that
 * QuickJS needs, and embeds it so that it costs nothing until it is imported. There `mqtt` is its `lib/client` alone:
 * the package's own entry brings ws, socks and tls.
 */

export { MqttClient } from "mqtt";
export { Duplex } from "readable-stream";
export { attachPlatform } from "../../platform/shims/host.ts";

import { expect, test } from "vitest";
import { KNOWN_SERVICES, serviceOfChain, servicesOf } from "../../src/model/known-programs.ts";

test.each([
	["ip filter ts-input", "tailscale"],
	["inet nikki router_prerouting", "nikki"],
	["inet mihomo pre", "mihomo"],
	["inet fw4 openclash_mangle", "openclash"],
	["inet clash PREROUTING", "clash"],
	["inet fw4 homeproxy_redirect", "homeproxy"],
	["inet passwall PSW_RULE", "passwall"],
	["inet sing-box prerouting", "sing-box"],
	["inet fw4 input_lan", undefined],
])("the chain %s is made by %s", (chain, service) => {
	expect(serviceOfChain(chain)).toBe(service);
});

test("a program that several services run belongs to each of them", () => {
	expect(servicesOf("mihomo")).toEqual(["nikki", "mihomo"]);
	expect(servicesOf("tailscaled")).toEqual(["tailscale"]);
	expect(servicesOf("constructor")).toEqual([]);
	expect(new Set(KNOWN_SERVICES).size).toBe(KNOWN_SERVICES.length);
});

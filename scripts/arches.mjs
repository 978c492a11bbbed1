/**
 * OpenWrt's architectures that qjs is built for: Zig's target and processor, and how qemu-user runs it.
 *
 * arm_cortex-a9 and the two of MIPS are soft float in OpenWrt: qemu is given processors without a floating point unit,
 * so that an instruction of it ends the program.
 */
export const ARCHES = {
	x86_64: { target: "x86_64-linux-musl", cpu: "x86_64", qemu: "x86_64" },
	aarch64_generic: { target: "aarch64-linux-musl", cpu: "generic", qemu: "aarch64", qemuCpu: "cortex-a53" },
	"aarch64_cortex-a53": {
		target: "aarch64-linux-musl",
		cpu: "cortex_a53",
		qemu: "aarch64",
		qemuCpu: "cortex-a53",
	},
	"aarch64_cortex-a72": {
		target: "aarch64-linux-musl",
		cpu: "cortex_a72",
		qemu: "aarch64",
		qemuCpu: "cortex-a72",
	},
	"arm_cortex-a7_neon-vfpv4": {
		target: "arm-linux-musleabihf",
		cpu: "cortex_a7",
		qemu: "arm",
		qemuCpu: "cortex-a7",
	},
	"arm_cortex-a9": {
		target: "arm-linux-musleabi",
		cpu: "cortex_a9+soft_float",
		qemu: "arm",
		qemuCpu: "cortex-a9,vfp=off,neon=off",
	},
	mipsel_24kc: {
		target: "mipsel-linux-musleabi",
		cpu: "mips32r2+soft_float",
		qemu: "mipsel",
		qemuCpu: "24Kc",
	},
	mips_24kc: {
		target: "mips-linux-musleabi",
		cpu: "mips32r2+soft_float",
		qemu: "mips",
		qemuCpu: "24Kc",
		bigEndian: true,
	},
	riscv64_riscv64: { target: "riscv64-linux-musl", cpu: "baseline_rv64", qemu: "riscv64" },
};

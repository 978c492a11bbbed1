export const ARCHES: Readonly<
	Record<
		string,
		{
			/** Zig's. */
			readonly target: string;
			/** Zig's. */
			readonly cpu: string;
			/** qemu-user's name of the processor family, and of the processor if not its default. */
			readonly qemu: string;
			readonly qemuCpu?: string;
			readonly bigEndian?: boolean;
		}
	>
>;

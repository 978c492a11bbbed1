import type { CommandOutcome, MqttCommand } from "./incoming-commands.ts";

/** What a publisher tells of itself. */
export interface PublisherHandlers {
	/** Only with `commands '1'`; whoever carries it out reports its outcome. */
	onCommand(command: MqttCommand): void;
	/** A command was refused at once. */
	onOutcome(outcome: CommandOutcome): void;
	/** One line about the connection or a refused command. */
	onLog(level: "info" | "warn", line: string): void;
	/** Another router uses this one's id; undefined: no longer. */
	onForeign(text: string | undefined): void;
	/** The broker does not get all that it should, though it is connected; undefined: no longer. */
	onRefused(text: string | undefined): void;
	/** The broker has accepted us. */
	onConnect?(): void;
}

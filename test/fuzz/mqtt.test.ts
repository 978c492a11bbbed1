import { MQTT } from "./parsers/mqtt.ts";
import { fuzz } from "./suite.ts";

fuzz(MQTT);

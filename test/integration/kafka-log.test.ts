import { inject } from 'vitest';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { describeLog } from '../contract/log.contract.ts';

let made = 0;
describeLog('kafkajs on a real broker', () => createKafka({ brokers: process.env['KAFKA_BROKERS'] ?? inject('addresses').brokers, clientId: `contract-${made++}` }));

import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { describeLog } from '../../contract/log.contract.ts';

const broker = createMemoryBroker();
describeLog('in memory', () => broker.client());

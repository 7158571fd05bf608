/**
 * What ClickHouse's error codes mean to whoever asked, decided by number, never by text
 * (https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp). `passes`: the same question is
 * asked again. `rows`: of an insert, a row of it can never go in; the others can. Every other code is for a person: a
 * table or a right is missing, a statement is wrong.
 */
type Fate = 'passes' | 'rows';

/** By code: its name there, and why it has this fate. */
export const storeCodes: Readonly<Record<string, readonly [name: string, fate: Fate, why: string]>> = {
  // Network and time.
  '95': ['CANNOT_READ_FROM_SOCKET', 'passes', 'a connection between nodes broke'],
  '96': ['CANNOT_WRITE_TO_SOCKET', 'passes', 'a connection between nodes broke'],
  '159': ['TIMEOUT_EXCEEDED', 'passes', 'too slow this time'],
  '160': ['TOO_SLOW', 'passes', 'too slow this time'],
  '198': ['DNS_ERROR', 'passes', 'a name is not found just now'],
  '209': ['SOCKET_TIMEOUT', 'passes', 'a node did not answer in time'],
  '210': ['NETWORK_ERROR', 'passes', 'a connection between nodes broke'],
  '279': ['ALL_CONNECTION_TRIES_FAILED', 'passes', 'no node of a shard answers'],
  '297': ['SHARD_HAS_NO_CONNECTIONS', 'passes', 'no node of a shard answers'],
  '499': ['S3_ERROR', 'passes', 'the disk behind is an object store that is away'],
  // Too much at once.
  '173': ['CANNOT_ALLOCATE_MEMORY', 'passes', 'memory of the machine'],
  '201': ['QUOTA_EXCEEDED', 'passes', 'a quota counts by the hour or day'],
  '202': ['TOO_MANY_SIMULTANEOUS_QUERIES', 'passes', 'others ask too'],
  '203': ['NO_FREE_CONNECTION', 'passes', 'others ask too'],
  '241': ['MEMORY_LIMIT_EXCEEDED', 'passes', 'memory of this query and of others'],
  '252': ['TOO_MANY_PARTS', 'passes', 'merges are behind; too many months in one insert: plan-inserts.ts keeps below'],
  '394': ['QUERY_WAS_CANCELLED', 'passes', 'somebody killed the query, not the wish'],
  '439': ['CANNOT_SCHEDULE_TASK', 'passes', 'no thread is free'],
  '700': ['USER_SESSION_LIMIT_EXCEEDED', 'passes', 'others ask too'],
  '745': ['SERVER_OVERLOADED', 'passes', 'others ask too'],
  // The disk.
  '74': ['CANNOT_READ_FROM_FILE_DESCRIPTOR', 'passes', 'a disk that somebody mends'],
  '75': ['CANNOT_WRITE_TO_FILE_DESCRIPTOR', 'passes', 'a disk that somebody mends'],
  '76': ['CANNOT_OPEN_FILE', 'passes', 'a disk that somebody mends'],
  '243': ['NOT_ENOUGH_SPACE', 'passes', 'a disk that somebody empties'],
  // Replicas and their keeper.
  '225': ['NO_ZOOKEEPER', 'passes', 'the keeper is away'],
  '236': ['ABORTED', 'passes', 'the server is being stopped'],
  '242': ['TABLE_IS_READ_ONLY', 'passes', 'the replica has lost its keeper'],
  '244': ['UNEXPECTED_ZOOKEEPER_ERROR', 'passes', 'the keeper is in trouble'],
  '254': ['NO_ACTIVE_REPLICAS', 'passes', 'replicas are away'],
  '285': ['TOO_FEW_LIVE_REPLICAS', 'passes', 'replicas are away'],
  '286': ['UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE', 'passes', 'the write before is on its way'],
  '289': ['REPLICA_IS_NOT_IN_QUORUM', 'passes', 'the replica has not caught up'],
  '319': ['UNKNOWN_STATUS_OF_INSERT', 'passes', 'it may be in: what is written twice has the same key'],
  '416': ['REPLICA_STATUS_CHANGED', 'passes', 'the replica changes its part'],
  '425': ['SYSTEM_ERROR', 'passes', 'the machine under it'],
  '473': ['DEADLOCK_AVOIDED', 'passes', 'another statement held the table'],
  '999': ['KEEPER_EXCEPTION', 'passes', 'the keeper is in trouble'],
  // A row that no table of ours takes.
  '6': ['CANNOT_PARSE_TEXT', 'rows', 'a value does not fit its column'],
  '26': ['CANNOT_PARSE_QUOTED_STRING', 'rows', 'a value does not fit its column'],
  '27': ['CANNOT_PARSE_INPUT_ASSERTION_FAILED', 'rows', 'a value does not fit its column'],
  '38': ['CANNOT_PARSE_DATE', 'rows', 'a time that is none'],
  '41': ['CANNOT_PARSE_DATETIME', 'rows', 'a time that is none'],
  '53': ['TYPE_MISMATCH', 'rows', 'a value does not fit its column'],
  '69': ['ARGUMENT_OUT_OF_BOUND', 'rows', 'a value is out of its range'],
  '70': ['CANNOT_CONVERT_TYPE', 'rows', 'a value does not fit its column'],
  '72': ['CANNOT_PARSE_NUMBER', 'rows', 'a number that is none'],
  '117': ['INCORRECT_DATA', 'rows', 'a row is no row of the table'],
  '128': ['TOO_LARGE_ARRAY_SIZE', 'rows', 'a list is too long'],
  '130': ['CANNOT_READ_ARRAY_FROM_TEXT', 'rows', 'a list that is none'],
  '131': ['TOO_LARGE_STRING_SIZE', 'rows', 'a text is too long'],
  '321': ['VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE', 'rows', 'a value is out of its range'],
  '349': ['CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN', 'rows', 'nothing where something must be'],
  '376': ['CANNOT_PARSE_UUID', 'rows', 'an id that is none'],
  '407': ['DECIMAL_OVERFLOW', 'rows', 'a value is out of its range'],
  '467': ['CANNOT_PARSE_BOOL', 'rows', 'a value does not fit its column'],
  '469': ['VIOLATED_CONSTRAINT', 'rows', 'a constraint that somebody has set'],
};

#!lua name=billd_VERSION
-- The functions through which billd writes. A function is atomic but does not roll back: each one first reads and
-- checks everything (types included: reading a key of another type fails before anything was written), and then makes
-- only writes that cannot fail. VERSION is a hash of this file, so that daemons of two versions work side by side.

-- Reads that fail on a key of the wrong type, by the letter of the write that follows.
local type_check = { H = 'HLEN', D = 'HLEN', Z = 'ZCARD', R = 'ZCARD', T = 'ZCARD', U = 'ZCARD' }

-- Lua hands over some thousands of arguments at most. Even, so that pairs stay together.
local arguments_max = 2000

-- Says a command with all of the arguments, in as few calls as it takes. What concerns many accounts is said once: a
-- call costs Redis more than what most of them do.
local function call_with(command, key, arguments)
  for from = 1, #arguments, arguments_max do
    redis.call(command, key, unpack(arguments, from, math.min(from + arguments_max - 1, #arguments)))
  end
end

-- Adds to the list under a key of a table of lists.
local function gather(lists, key, first, second)
  local list = lists[key]
  if not list then
    list = {}
    lists[key] = list
  end
  list[#list + 1] = first
  if second then list[#list + 1] = second end
end

-- Those of the fields which a hash does not have, as a set. Fails on a key of another type.
local function missing_fields(key, fields)
  local missing = {}
  for from = 1, #fields, arguments_max do
    local last = math.min(from + arguments_max - 1, #fields)
    local found = redis.call('HMGET', key, unpack(fields, from, last))
    for i = from, last do
      if not found[i - from + 1] then missing[fields[i]] = true end
    end
  end
  return missing
end

-- The count under a key; fails when INCR would.
local function read_count(key)
  local value = redis.call('GET', key) or '0'
  if not string.match(value, '^%d+$') or #value > 18 then error({ err = 'WRONGTYPE ' .. key .. ' holds no count' }) end
  return tonumber(value)
end

-- The commits of an account up to a version of it: the upper five bytes.
local function commits_of(version)
  if #version < 5 then return 0 end
  return (struct.unpack('>I5', version))
end

-- Commits a number of accounts of one partition and mode. Each of them is committed whole or not at all.
--   KEYS  1 the partition's count of commits, 2 its lease, 3 its events, 4 its parked accounts, 5 the marks of its
--         commits, then those used below
--   ARGV  1 the number of accounts, 2 events older than this many milliseconds may go ('': none), then for each
--         account: its key (an index into KEYS), the version that must be stored ('': none), the new value, the epoch
--         that must be the lease's ('': any), the idempotency record (an index; 0: none), its value, whether it may
--         replace one ('1'), its life in milliseconds, the unique value that must be held (an index; 0: none), how, the
--         mark that must not be there and is set ('': none), the events ('': none), the number of writes, and four for
--         each write: a letter, an index, and two arguments
--           H field value      sets a document          D field -          removes one
--           V field value      sets one that is not there yet
--           Z score member     enters an index          R member -         leaves one
--           T score member     enters a queue           U member -         leaves one
-- Answers the count of commits, then for each account 1 (committed), 2 (conflict), 3 (stale epoch), 4 (conflict; but
-- one that is sent again may have been carried out before others committed), 5 (the unique value is not held), 6 (the
-- mark is there), or the value of the idempotency record that was there already.
local function commit(keys, args)
  local commits = read_count(keys[1])
  local epoch = redis.call('HGET', keys[2], 'epoch')
  redis.call('XLEN', keys[3])
  local parked = redis.call('HLEN', keys[4]) > 0
  local count = tonumber(args[1])
  local verdicts, starts, seen, checked, missing = {}, {}, {}, {}, {}
  local at = 3
  for i = 1, count do
    starts[i] = at
    local account = keys[tonumber(args[at])]
    local record = tonumber(args[at + 4])
    local unique = tonumber(args[at + 8])
    local mark = args[at + 10]
    local writes = tonumber(args[at + 12])
    local verdict = 1
    local version = redis.call('GETRANGE', account, 1, 8)
    local current = version == args[at + 1]
    local saved = record > 0 and args[at + 6] ~= '1' and redis.call('GET', keys[record])
    local is_held = unique == 0 or redis.call('GET', keys[unique]) == args[at + 9]
    if not current and redis.call('GET', account) == args[at + 2] then
      verdict = 0 -- a commit that is sent again because its answer was lost finds its own value
    elseif saved then
      verdict = saved
    elseif args[at + 3] ~= '' and args[at + 3] ~= epoch then
      verdict = 3
    elseif not current then
      verdict = commits_of(version) > commits_of(args[at + 1]) + 1 and 4 or 2
    elseif seen[account] then
      verdict = 2
    elseif not is_held then
      verdict = 5
    elseif mark ~= '' and redis.call('HEXISTS', keys[5], mark) == 1 then
      verdict = 6
    end
    if verdict == 1 then
      seen[account] = true
      local once = {}
      for w = at + 13, at + 9 + 4 * writes, 4 do
        local key = args[w + 1]
        if args[w] == 'V' then
          gather(once, key, args[w + 2])
        elseif not checked[key] then
          redis.call(type_check[args[w]], keys[tonumber(key)])
          checked[key] = true
        end
      end
      for key, fields in pairs(once) do once[key] = missing_fields(keys[tonumber(key)], fields) end
      missing[i] = once
    end
    verdicts[i] = verdict
    at = at + 13 + 4 * writes
  end

  local values, leaving, entering = {}, {}, {}
  for i = 1, count do
    if verdicts[i] == 1 then
      at = starts[i]
      values[#values + 1] = keys[tonumber(args[at])]
      values[#values + 1] = args[at + 2]
      local record = tonumber(args[at + 4])
      if record > 0 then redis.call('SET', keys[record], args[at + 5], 'PX', args[at + 7]) end
      if args[at + 10] ~= '' then redis.call('HSET', keys[5], args[at + 10], 'c') end
      if args[at + 11] ~= '' then redis.call('XADD', keys[3], '*', 'e', args[at + 11]) end
      local set, removed = {}, {}
      for w = at + 13, at + 9 + 4 * tonumber(args[at + 12]), 4 do
        local letter, index, first = args[w], args[w + 1], args[w + 2]
        if letter == 'Z' then
          gather(entering, index, first, args[w + 3])
        elseif letter == 'T' then
          if not (parked and redis.call('HEXISTS', keys[4], args[w + 3]) == 1) then
            gather(entering, index, first, args[w + 3])
          end
        elseif letter == 'H' or (letter == 'V' and missing[i][index][first]) then
          gather(set, index, first, args[w + 3])
        elseif letter == 'D' then
          gather(removed, index, first)
        elseif letter ~= 'V' then
          gather(leaving, index, first)
        end
      end
      for index, fields in pairs(set) do call_with('HSET', keys[tonumber(index)], fields) end
      for index, fields in pairs(removed) do call_with('HDEL', keys[tonumber(index)], fields) end
    elseif verdicts[i] == 0 then
      verdicts[i] = 1
    end
  end
  for from = 1, #values, arguments_max do
    redis.call('MSET', unpack(values, from, math.min(from + arguments_max - 1, #values)))
  end
  -- What changes its place in a set leaves before it enters.
  for index, members in pairs(leaving) do call_with('ZREM', keys[tonumber(index)], members) end
  for index, members in pairs(entering) do call_with('ZADD', keys[tonumber(index)], members) end
  if args[2] ~= '' then redis.call('XTRIM', keys[3], 'MINID', '~', args[2]) end
  if #values > 0 then commits = redis.call('INCR', keys[1]) end
  table.insert(verdicts, 1, commits)
  return verdicts
end

-- Takes a partition's lease if it still is as the caller saw it: then both are numbers, and HINCRBY cannot fail.
--   KEYS  1 the lease    ARGV  1 epoch seen, 2 heartbeat seen, 3 the new owner, 4 its incarnation
-- Answers the new epoch and heartbeat, or nil.
local function take_lease(keys, args)
  local lease = redis.call('HMGET', keys[1], 'epoch', 'heartbeat')
  if (lease[1] or '0') ~= args[1] or (lease[2] or '0') ~= args[2] then return false end
  local epoch = redis.call('HINCRBY', keys[1], 'epoch', 1)
  local heartbeat = redis.call('HINCRBY', keys[1], 'heartbeat', 1)
  redis.call('HSET', keys[1], 'owner', args[3], 'incarnation', args[4])
  return { epoch, heartbeat }
end

-- Moves the heartbeat of a lease on while it has the caller's epoch.    KEYS  1 the lease    ARGV  1 epoch
local function renew_lease(keys, args)
  if redis.call('HGET', keys[1], 'epoch') ~= args[1] then return 0 end
  redis.call('HINCRBY', keys[1], 'heartbeat', 1)
  return 1
end

-- Gives a lease up while it has the caller's epoch.    KEYS  1 the lease    ARGV  1 epoch
local function release_lease(keys, args)
  if redis.call('HGET', keys[1], 'epoch') ~= args[1] then return 0 end
  redis.call('HINCRBY', keys[1], 'heartbeat', 1)
  redis.call('HSET', keys[1], 'owner', '', 'incarnation', '')
  return 1
end

-- Parked accounts of one queue and reason are a group: how many, the first and the latest time, the latest account.
local function read_group(key, name)
  local value = redis.call('HGET', key, name)
  if not value then return 0 end
  local count, first, last, account = string.match(value, '^(%d+) (%d+) (%d+) (%w+)$')
  if not count then error({ err = 'WRONGTYPE ' .. key .. ' holds no group' }) end
  return tonumber(count), first, last, account
end

-- Takes an account out of all queues; one that is parked stays as it is.
--   KEYS  1 the parked accounts, 2 their groups, 3 those of one queue, then the queues
--   ARGV  1 account, 2 how and why, 3 the time, 4 the group
-- Answers 1, or 0 when it is parked already.
local function park(keys, args)
  if redis.call('HEXISTS', keys[1], args[1]) == 1 then return 0 end
  local count, first = read_group(keys[2], args[4])
  for i = 3, #keys do redis.call('ZCARD', keys[i]) end
  redis.call('HSET', keys[1], args[1], args[2])
  redis.call('HSET', keys[2], args[4], string.format('%d %s %s %s', count + 1, first or args[3], args[3], args[1]))
  redis.call('ZADD', keys[3], args[3], args[1])
  for i = 4, #keys do redis.call('ZREM', keys[i], args[1]) end
  return 1
end

-- Lets an account back into its queues, if it is still as the caller computed its timers from.
--   KEYS  1 the parked accounts, 2 the account, 3 the groups, 4 the parked accounts of its queue, then its queues
--   ARGV  1 account, 2 the version that must be stored, 3 how and why it must be parked, 4 its group,
--         then the due time for each queue
-- Answers 1, 0 when it is not parked, 2 on a conflict.
local function unpark(keys, args)
  local parked = redis.call('HGET', keys[1], args[1])
  if not parked then return 0 end
  if parked ~= args[3] or redis.call('GETRANGE', keys[2], 1, 8) ~= args[2] then return 2 end
  local count, first, last, account = read_group(keys[3], args[4])
  for i = 4, #keys do redis.call('ZCARD', keys[i]) end
  redis.call('HDEL', keys[1], args[1])
  if count > 1 then
    redis.call('HSET', keys[3], args[4], string.format('%d %s %s %s', count - 1, first, last, account))
  else
    redis.call('HDEL', keys[3], args[4])
  end
  redis.call('ZREM', keys[4], args[1])
  for i = 5, #keys do redis.call('ZADD', keys[i], args[i], args[1]) end
  return 1
end

-- Appends an entry to the audit log, if the latest one is as the caller chained the new one to.
--   KEYS  1 the log    ARGV  1 the latest entry's hash ('': there is none), 2 the entry, 3 its hash
-- Answers 1, or 2 on a conflict.
local function append_audit(keys, args)
  local latest = redis.call('XREVRANGE', keys[1], '+', '-', 'COUNT', 1)[1]
  if (latest and latest[2][4] or '') ~= args[1] then return 2 end
  redis.call('XADD', keys[1], '*', 'e', args[2], 'h', args[3])
  return 1
end

-- Puts members of queues and indexes right, if their account is still as the caller computed them from.
--   KEYS  1 the parked accounts, 2 the account, then a set for each member
--   ARGV  1 account, 2 the version that must be stored ('': none), 3 '1' when it must be parked,
--         then for each member: its score ('': it leaves), and itself
-- Answers 1, or 2 on a conflict.
local function put_right(keys, args)
  if redis.call('GETRANGE', keys[2], 1, 8) ~= args[2] then return 2 end
  if redis.call('HEXISTS', keys[1], args[1]) ~= (args[3] == '1' and 1 or 0) then return 2 end
  for i = 3, #keys do redis.call('ZCARD', keys[i]) end
  for i = 3, #keys do
    local score, member = args[2 * i - 2], args[2 * i - 1]
    if score == '' then redis.call('ZREM', keys[i], member) else redis.call('ZADD', keys[i], score, member) end
  end
  return 1
end

-- Moves the deliveries of one partition's events to one endpoint on.
--   KEYS  1 the lease, 2 where deliveries stand, 3 those that were given up, 4 what is to be delivered again
--   ARGV  1 the epoch that must be the lease's, 2 the endpoint, 3 the revision that must be stored ('': nothing), 4 the
--         new state, which begins with its revision ('': it goes), 5 how many of those given up are kept, 6 the number
--         of customers and, for each, its field and its value ('': removes it), then the number of those given up and
--         each of them, then the number of entries of those given up that are delivered again and each of them, then
--         what need not be delivered again any more
-- Answers 1, 2 on a conflict, or 3 when the epoch is stale.
local function deliver(keys, args)
  local revision = string.sub(redis.call('HGET', keys[2], args[2]) or '', 2, 9)
  if revision ~= args[3] then
    -- One that is sent again because its answer was lost finds its own revision.
    return revision == string.sub(args[4], 2, 9) and 1 or 2
  end
  if redis.call('HGET', keys[1], 'epoch') ~= args[1] then return 3 end
  redis.call('XLEN', keys[3])
  redis.call('HLEN', keys[4])
  if args[4] == '' then redis.call('HDEL', keys[2], args[2]) else redis.call('HSET', keys[2], args[2], args[4]) end
  local at = 7
  for _ = 1, tonumber(args[6]) do
    if args[at + 1] == '' then
      redis.call('HDEL', keys[2], args[at])
    else
      redis.call('HSET', keys[2], args[at], args[at + 1])
    end
    at = at + 2
  end
  for i = at + 1, at + tonumber(args[at]) do
    redis.call('XADD', keys[3], 'MAXLEN', '~', args[5], '*', 'e', args[i])
  end
  at = at + tonumber(args[at]) + 1
  for i = at + 1, at + tonumber(args[at]) do redis.call('XDEL', keys[3], args[i]) end
  for i = at + tonumber(args[at]) + 1, #args do redis.call('HDEL', keys[4], args[i]) end
  return 1
end

-- Replaces the mark of an effect under way (its value begins with 'u') by the answer.
--   KEYS  1 the idempotency record    ARGV  1 the answer, 2 its life in milliseconds
-- Answers what is saved now.
local function complete_answer(keys, args)
  local saved = redis.call('GET', keys[1])
  if saved and string.sub(saved, 1, 1) ~= 'u' then return saved end
  redis.call('SET', keys[1], args[1], 'PX', args[2])
  return args[1]
end

-- Counts a redemption, if that is not more than there may be, and notes that it is to be settled. Of one that was
-- counted already, nothing is done.
--   KEYS  1 the counts, 2 the claims
--   ARGV  1 the mark, 2 the claim, then for each count: its field, and how many there may be (0: any number)
-- Answers the place of the first count that is used up; or how often counts of the mode were changed, and the counts.
local function claim_redemption(keys, args)
  if redis.call('HEXISTS', keys[2], args[1]) == 1 then return redis.call('HMGET', keys[1], 'revision') end
  for i = 3, #args, 2 do
    local count = redis.call('HGET', keys[1], args[i]) or '0'
    if not string.match(count, '^%d+$') then error({ err = 'WRONGTYPE ' .. keys[1] .. ' holds no count' }) end
    if args[i + 1] ~= '0' and tonumber(count) >= tonumber(args[i + 1]) then return (i - 1) / 2 end
  end
  redis.call('HSET', keys[2], args[1], args[2])
  local answer = { redis.call('HINCRBY', keys[1], 'revision', 1) }
  for i = 3, #args, 2 do table.insert(answer, redis.call('HINCRBY', keys[1], args[i], 1)) end
  return answer
end

-- Settles a claim, once: it holds, or it is as if it had never been.
--   KEYS  1 the counts, 2 the claims    ARGV  1 the mark, 2 '1' when it holds, then each count's field
-- Answers 0 when nothing was counted or taken back; or as above.
local function settle_redemption(keys, args)
  redis.call('HLEN', keys[1])
  if redis.call('HDEL', keys[2], args[1]) == 0 or args[2] == '1' then return 0 end
  local answer = { redis.call('HINCRBY', keys[1], 'revision', 1) }
  for i = 3, #args do table.insert(answer, redis.call('HINCRBY', keys[1], args[i], -1)) end
  return answer
end

-- Whether a marked commit was made; if not, it never will be.    KEYS  1 the marks    ARGV  1 the mark, 2 the time
-- Answers what the mark says: 'c', or 'x' and the time when the commit was given up.
local function give_up_mark(keys, args)
  local found = redis.call('HGET', keys[1], args[1])
  if found then return found end
  redis.call('HSET', keys[1], args[1], 'x' .. args[2])
  return 'x' .. args[2]
end

-- Draws numbers for new customers.    KEYS  1 the numbers drawn so far    ARGV  1 how many
-- Answers the last of them.
local function draw_numbers(keys, args)
  read_count(keys[1])
  return redis.call('INCRBY', keys[1], args[1])
end

-- Takes a value that only one customer may have, or gives it up, if it still is as the caller saw it.
--   KEYS  1 the value, 2 an account that must not exist (may be missing)
--   ARGV  1 how it is held ('': not), 2 how it shall be ('': not), 3 for how many milliseconds
--         ('': until it is given up)
-- Answers 1, or 2 on a conflict.
local function take_unique(keys, args)
  if (redis.call('GET', keys[1]) or '') ~= args[1] then return 2 end
  if keys[2] and redis.call('EXISTS', keys[2]) == 1 then return 2 end
  if args[2] == '' then
    redis.call('DEL', keys[1])
  elseif args[3] == '' then
    redis.call('SET', keys[1], args[2])
  else
    redis.call('SET', keys[1], args[2], 'PX', args[3])
  end
  return 1
end

-- Writes objects of the catalog, if all that is stored is as expected: all of them or none.
--   KEYS  1 the catalog's version, then the hash of each object, then the idempotency record (may be missing)
--   ARGV  1 the number of objects, 2 the channel, 3 the message but for the version, 4 the answer to save, 5 its life
--         in milliseconds, 6 the version that the catalog must have ('': any), then for each object: field, the value
--         expected ('': none), the new value ('': remove)
-- Answers the catalog's version, 0 on a conflict, or the answer that was saved before.
local function put_objects(keys, args)
  local count = tonumber(args[1])
  local record = keys[count + 2]
  if record then
    local saved = redis.call('GET', record)
    if saved then return saved end
  end
  if args[6] ~= '' and (redis.call('GET', keys[1]) or '0') ~= args[6] then return 0 end
  for i = 1, count do
    local at = 4 + 3 * i
    if (redis.call('HGET', keys[i + 1], args[at]) or '') ~= args[at + 1] then return 0 end
  end
  read_count(keys[1])
  for i = 1, count do
    local at = 4 + 3 * i
    if args[at + 2] == '' then
      redis.call('HDEL', keys[i + 1], args[at])
    else
      redis.call('HSET', keys[i + 1], args[at], args[at + 2])
    end
  end
  if record then redis.call('SET', record, args[4], 'PX', args[5]) end
  local version = redis.call('INCR', keys[1])
  local text = string.format('%.0f', version)
  redis.call('PUBLISH', args[2], #text .. ':' .. text .. args[3])
  return version
end

-- Every kind of write above. Where Redis refuses a user one of them, it does so in the middle of a function.
local function check_permissions(channel)
  local writes = { { 'INCR', '{p0}:commits' }, { 'HSET', '{p0}:lease', '', '' }, { 'HINCRBY', '{p0}:lease', '', '1' },
    { 'INCR', '{catalog}:version' }, { 'HSET', '{catalog}:keys', '', '' }, { 'PUBLISH', channel, '' } }
  for _, mode in ipairs({ 't:', 'l:' }) do
    local prefix, catalog = mode .. '{p0}:', mode .. '{catalog}:'
    for _, write in ipairs({
      { 'GET', prefix .. 'a:' }, { 'GETRANGE', prefix .. 'a:', '1', '8' }, { 'MSET', prefix .. 'a:', '' },
      { 'GET', prefix .. 'r:' }, { 'SET', prefix .. 'r:', '', 'PX', '1' },
      { 'HLEN', prefix .. 'd:' }, { 'HSET', prefix .. 'd:', '', '' }, { 'HMGET', prefix .. 'd:', '' },
      { 'HDEL', prefix .. 'd:', '' }, { 'HMGET', prefix .. 'fa', '' }, { 'HSET', prefix .. 'fa', '', '' },
      { 'ZCARD', prefix .. 'x:' }, { 'ZADD', prefix .. 'x:', '0', '' }, { 'ZREM', prefix .. 'x:', '' },
      { 'ZADD', prefix .. 'q:', '0', '' }, { 'ZREM', prefix .. 'q:', '' },
      { 'ZADD', prefix .. 'c:', '0', '' }, { 'ZREM', prefix .. 'c:', '' },
      { 'XLEN', prefix .. 'e' }, { 'XADD', prefix .. 'e', '*', '', '' }, { 'XTRIM', prefix .. 'e', 'MINID', '~', '0' },
      { 'HEXISTS', prefix .. 'p', '' }, { 'HSET', prefix .. 'p', '', '' }, { 'HDEL', prefix .. 'p', '' },
      { 'INCRBY', prefix .. 'n', '1' }, { 'GET', prefix .. 'u:' }, { 'SET', prefix .. 'u:', '' },
      { 'SET', prefix .. 'u:', '', 'PX', '1' }, { 'DEL', prefix .. 'u:' },
      { 'HSET', prefix .. 'm', '', '' }, { 'HDEL', prefix .. 'm', '' },
      { 'HSET', prefix .. 'pg', '', '' }, { 'HDEL', prefix .. 'pg', '' },
      { 'ZADD', prefix .. 'p:', '0', '' }, { 'ZREM', prefix .. 'p:', '' },
      { 'HSET', prefix .. 'w', '', '' }, { 'HDEL', prefix .. 'w', '' }, { 'HDEL', prefix .. 'wr', '' },
      { 'XADD', prefix .. 'wg', 'MAXLEN', '~', '1', '*', '', '' },
      { 'HSET', catalog .. 'plans', '', '' }, { 'HDEL', catalog .. 'plans', '' },
      { 'HINCRBY', catalog .. 'rd', '', '1' }, { 'HSET', catalog .. 'rc', '', '' }, { 'HDEL', catalog .. 'rc', '' },
      { 'HSET', catalog .. 'clocks', '', '' }, { 'HSET', catalog .. 'staff', '', '' },
      { 'HDEL', catalog .. 'staff', '' }, { 'SET', catalog .. 'r:', '', 'PX', '1' },
    }) do table.insert(writes, write) end
  end
  table.insert(writes, { 'XREVRANGE', '{catalog}:audit', '+', '-' })
  table.insert(writes, { 'XADD', '{catalog}:audit', '*', '', '' })
  for _, write in ipairs(writes) do
    if not redis.acl_check_cmd(unpack(write)) then
      error({ err = 'NOPERM this user may not ' .. write[1] .. ' ' .. write[2] })
    end
  end
end

-- Creates the data set or tells what it is.
--   KEYS  1 the data set    ARGV  1 its id, 2 the number of partitions, 3 the channel of the catalog
local function open_data_set(keys, args)
  check_permissions(args[3])
  if redis.call('HEXISTS', keys[1], 'id') == 0 then
    redis.call('HSET', keys[1], 'id', args[1], 'partitions', args[2])
  end
  return redis.call('HMGET', keys[1], 'id', 'partitions')
end

redis.register_function('billd_VERSION_commit', commit)
redis.register_function('billd_VERSION_take_lease', take_lease)
redis.register_function('billd_VERSION_renew_lease', renew_lease)
redis.register_function('billd_VERSION_release_lease', release_lease)
redis.register_function('billd_VERSION_park', park)
redis.register_function('billd_VERSION_unpark', unpark)
redis.register_function('billd_VERSION_append_audit', append_audit)
redis.register_function('billd_VERSION_put_right', put_right)
redis.register_function('billd_VERSION_deliver', deliver)
redis.register_function('billd_VERSION_complete_answer', complete_answer)
redis.register_function('billd_VERSION_put_objects', put_objects)
redis.register_function('billd_VERSION_claim_redemption', claim_redemption)
redis.register_function('billd_VERSION_settle_redemption', settle_redemption)
redis.register_function('billd_VERSION_give_up_mark', give_up_mark)
redis.register_function('billd_VERSION_draw_numbers', draw_numbers)
redis.register_function('billd_VERSION_take_unique', take_unique)
redis.register_function('billd_VERSION_open_data_set', open_data_set)

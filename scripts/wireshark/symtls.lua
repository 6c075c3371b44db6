-- symtls.lua - symmetric TLS in Wireshark: role_preference by its name, the struck ClientHello marked, and the rest decoded.
--
-- Copy it to ~/.local/lib/wireshark/plugins, or: tshark -X lua_script:symtls.lua. With the file of symtls --keylog as
-- tls.keylog_file sessions are decrypted.
--
-- Wireshark's own dissector takes the end that sent the last ClientHello for the client, and its Random for that of the session.
-- Between two equal ends that is wrong half of the time: then nothing is decrypted. So this one reads the hellos first. The
-- one that was struck is shown as well, but as if it were a conversation of its own; what is left is ordinary TLS.
-- It takes part where a ClientHello is the first thing that is seen of a connection, and does nothing to plain TLS. Where Wireshark has
-- seen TLS by then that did not begin so, it asks its own dissector first, and for the ports that it has for TLS it asks nobody:
-- then use Decode As (tshark -d tcp.port==443,symtls).

local symtls = Proto("symtls", "Symmetric TLS")

local fields = {
    preference = ProtoField.string("symtls.role_preference", "role_preference"),
    struck = ProtoField.bool("symtls.struck", "This ClientHello is struck"),
    struck_in = ProtoField.framenum("symtls.struck_in", "The ClientHello that is struck is in frame"),
    client = ProtoField.string("symtls.client", "The TLS client is"),
    server = ProtoField.string("symtls.server", "The TLS server is"),
    decided_by = ProtoField.string("symtls.decided_by", "Decided by"),
}
symtls.fields = fields

local experts = {
    struck = ProtoExpert.new("symtls.struck.expert", "Struck: no handshake is made of this ClientHello", expert.group.SEQUENCE,
        expert.severity.CHAT),
    tie = ProtoExpert.new("symtls.tie", "Both ends sent the same value: neither can be the client", expert.group.PROTOCOL,
        expert.severity.ERROR),
    malformed = ProtoExpert.new("symtls.malformed", "A role_preference has 1 to 32 bytes, each from 33 to 126, and is there once",
        expert.group.MALFORMED, expert.severity.ERROR),
}
symtls.experts = experts

symtls.prefs.extension_id = Pref.uint("Number of the extension", 65363, "What symtls --extension-id says")

local tls, dtls = Dissector.get("tls"), Dissector.get("dtls")
local HANDSHAKE, CLIENT_HELLO = 22, 1

-- ---- What is known of each connection ----

local connections, connection_count = {}, 0

function symtls.init()
    connections, connection_count = {}, 0
end

local tcp_stream, udp_stream = Field.new("tcp.stream"), Field.new("udp.stream")

local function connection_of(pinfo, datagrams)
    local field = datagrams and udp_stream() or tcp_stream()
    local key = (datagrams and "u" or "t") .. tostring(field and field.value)
    if not connections[key] then
        connection_count = connection_count + 1
        connections[key] = { hellos = {}, number = connection_count }
    end
    return connections[key]
end

local function sender(pinfo)
    return tostring(pinfo.src) .. ":" .. pinfo.src_port
end

local function receiver(pinfo)
    return tostring(pinfo.dst) .. ":" .. pinfo.dst_port
end

-- ---- Reading a ClientHello ----

-- The length field of `width` bytes at `at`, and what is behind the vector; nil when it is cut.
local function vector(bytes, at, width)
    if at + width > bytes:len() then
        return nil
    end
    local length = 0
    for i = 0, width - 1 do
        length = length * 256 + bytes:get_index(at + i)
    end
    if at + width + length > bytes:len() then
        return nil
    end
    return length, at + width, at + width + length
end

local function well_formed(value)
    if #value < 1 or #value > 32 then
        return false
    end
    for i = 1, #value do
        if value:byte(i) < 33 or value:byte(i) > 126 then
            return false
        end
    end
    return true
end

-- The body of a ClientHello, a ByteArray. nil: it is none. With `is_cut` it may be the beginning of one.
local function read_hello(body, datagrams, is_cut)
    local hello = { random = body:len() >= 34 and body:raw(2, 32) or nil, count = 0 }
    local length, start, at = vector(body, 34, 1)
    if length and datagrams then
        length, start, at = vector(body, at, 1) -- cookie
    end
    if length then
        length, start, at = vector(body, at, 2) -- cipher_suites
    end
    if length then
        length, start, at = vector(body, at, 1) -- compression_methods
    end
    if not length then
        return nil
    end
    if is_cut then
        at = at + 2
    else
        length, at = vector(body, at, 2)
    end
    while length and at + 4 <= body:len() do
        local number = body:get_index(at) * 256 + body:get_index(at + 1)
        local size, from, behind = vector(body, at + 2, 2)
        if not size then
            return is_cut and hello or nil
        end
        if number == symtls.prefs.extension_id then
            hello.count = hello.count + 1
            hello.preference = body:raw(from, size)
            hello.malformed = hello.count > 1 or not well_formed(hello.preference)
        end
        at = behind
    end
    return hello
end

-- What is compared: the value, or where an end sent none (--implicit) the last 28 bytes of its Random.
local function value_of(hello)
    return hello.preference or hello.random:sub(5)
end

-- Byte by byte, and a prefix comes first: Lua's own order of strings may be a language's.
local function comes_before(one, other)
    for i = 1, math.min(#one, #other) do
        if one:byte(i) ~= other:byte(i) then
            return one:byte(i) < other:byte(i)
        end
    end
    return #one < #other
end

-- ---- The two hellos of a connection ----

local function decide(connection)
    local one, other = connection.hellos[connection.first], connection.hellos[connection.second]
    if value_of(one) == value_of(other) then
        connection.tie = true
        return
    end
    local first_is_client = comes_before(value_of(one), value_of(other))
    connection.client = first_is_client and connection.first or connection.second
    connection.server = first_is_client and connection.second or connection.first
    connection.decided_by = (one.preference and other.preference) and "role_preference" or "the random numbers (implicit)"
end

-- A hello was seen, for the first time in this direction or again.
local function note_hello(connection, hello, pinfo)
    local who = sender(pinfo)
    if pinfo.visited or connection.hellos[who] then
        return
    end
    hello.frame = pinfo.number
    connection.hellos[who] = hello
    if not connection.first then
        connection.first = who
    elseif not connection.second then
        connection.second = who
        decide(connection)
    end
end

local function is_struck(connection, pinfo)
    return connection.server == sender(pinfo)
end

-- Wireshark's dissector must not see it: it would turn the roles round. The first hello of a connection had to be passed on before
-- it was known to be struck, which did no harm, as the other one came behind it.
local function must_be_hidden(connection, pinfo)
    return is_struck(connection, pinfo) and (pinfo.visited or pinfo.number ~= connection.hellos[connection.first].frame)
end

local function show(connection, hello, range, pinfo, tree)
    if not hello.preference and not connection.second then
        return -- plain TLS, as far as one can see
    end
    local branch = tree:add(symtls, range)
    if hello.preference then
        branch:add(fields.preference, range, hello.preference)
    end
    if hello.malformed then
        branch:add_proto_expert_info(experts.malformed)
    end
    if connection.tie then
        branch:add_proto_expert_info(experts.tie)
    end
    if not connection.client then
        return
    end
    branch:add(fields.struck, is_struck(connection, pinfo)):set_generated()
    if is_struck(connection, pinfo) then
        branch:add_proto_expert_info(experts.struck)
        branch:append_text(", struck")
    else
        branch:add(fields.struck_in, connection.hellos[connection.server].frame):set_generated()
    end
    branch:add(fields.client, connection.client):set_generated()
    branch:add(fields.server, connection.server):set_generated()
    branch:add(fields.decided_by, connection.decided_by):set_generated()
end

-- Let Wireshark decode a struck hello in a conversation of its own: between two ports that nobody has.
local function decode_apart(dissector, connection, range, pinfo, tree)
    local source, target = pinfo.src_port, pinfo.dst_port
    pinfo.src_port, pinfo.dst_port = 0, connection.number % 65536
    dissector:call(range:tvb(), pinfo, tree)
    pinfo.src_port, pinfo.dst_port = source, target
end

-- In the list of packets; after everything else has written there.
local function mention(was_struck, pinfo)
    if was_struck then
        pinfo.cols.info:append(" [a struck ClientHello]")
    end
end

-- ---- Streams ----

-- The handshake message that begins at `offset`, which may be spread over records: its body, and the number of bytes up to the end of
-- its last record. nil: it is no ClientHello; or nil and true: it is not all there.
local function gather(tvb, offset)
    local message, at, behind = ByteArray.new(), offset, offset
    repeat
        if at + 5 > tvb:len() then
            return nil, true
        end
        if tvb(at, 1):uint() ~= HANDSHAKE or tvb(at + 1, 1):uint() ~= 3 then
            return nil
        end
        local length = tvb(at + 3, 2):uint()
        if at + 5 + length > tvb:len() then
            return nil, true
        end
        if length == 0 then
            return nil
        end
        message:append(tvb(at + 5, length):bytes())
        at = at + 5 + length
        behind = at
        if message:get_index(0) ~= CLIENT_HELLO then
            return nil
        end
        local size = message:len() >= 4 and
            4 + message:get_index(1) * 65536 + message:get_index(2) * 256 + message:get_index(3)
    until size and message:len() >= size
    local size = 4 + message:get_index(1) * 65536 + message:get_index(2) * 256 + message:get_index(3)
    return message:subset(4, size - 4), behind - offset, message:len() - size
end

-- What comes from this end first, and in a second pass what came first: may be its hello.
local function expects_hello(connection, pinfo)
    local known = connection.hellos[sender(pinfo)]
    if pinfo.visited then
        return known and known.frame == pinfo.number
    end
    return not known and not (connection.spoken and connection.spoken[sender(pinfo)])
end

local function pass_on(tvb, offset, pinfo, tree)
    if offset == tvb:len() then
        return
    end
    pinfo.can_desegment = 2 -- TCP would do it for us, and so for the one that we call
    tls:call(tvb(offset):tvb(), pinfo, tree)
    if pinfo.desegment_len ~= 0 then
        pinfo.desegment_offset = pinfo.desegment_offset + offset
    end
end

-- The message behind a struck hello in one record: under a header of its own.
local function pass_surplus(range, surplus, pinfo, tree)
    local bytes = ByteArray.new(string.format("160303%04x", surplus))
    bytes:append(range(range:len() - surplus, surplus):bytes())
    tls:call(bytes:tvb("Behind the struck ClientHello"), pinfo, tree)
end

local function dissect_stream(tvb, pinfo, tree)
    local connection = connection_of(pinfo, false)
    local offset, hidden = 0, false
    if expects_hello(connection, pinfo) then
        local body, length, surplus = gather(tvb, 0)
        if not body and length then
            pinfo.desegment_offset, pinfo.desegment_len = 0, DESEGMENT_ONE_MORE_SEGMENT
            return
        end
        local hello = body and read_hello(body, false)
        if hello then
            note_hello(connection, hello, pinfo)
            show(connection, hello, tvb(0, length), pinfo, tree)
            hidden = must_be_hidden(connection, pinfo)
            if hidden then
                decode_apart(tls, connection, tvb(0, length), pinfo, tree)
                if surplus > 0 then
                    pass_surplus(tvb(0, length), surplus, pinfo, tree)
                end
                offset = length
            end
        end
        connection.spoken = connection.spoken or {}
        connection.spoken[sender(pinfo)] = true
    end
    pass_on(tvb, offset, pinfo, tree)
    mention(hidden, pinfo)
end

-- ---- Datagrams ----

-- A record's fragment of a ClientHello, put together with those that came before: its body, when it is whole.
local function assemble(connection, tvb, at, pinfo)
    local size, sequence = tvb(at + 14, 3):uint(), tvb(at + 17, 2):uint()
    local offset, length = tvb(at + 19, 3):uint(), tvb(at + 22, 3):uint()
    if at + 25 + length > tvb:len() then
        return nil
    end
    local bytes = tvb(at + 25, length):bytes()
    if offset == 0 and length == size then
        return bytes
    end
    local key = sender(pinfo) .. "/" .. sequence .. "/" .. size
    connection.parts = connection.parts or {}
    local part = connection.parts[key]
    if offset == 0 then
        part = bytes
    elseif part and part:len() == offset then
        part = part .. bytes
    end
    connection.parts[key] = part
    return part and part:len() == size and part or nil
end

local function pass_on_records(tvb, from, to, pinfo, tree)
    if to > from then
        dtls:call(tvb(from, to - from):tvb(), pinfo, tree)
    end
end

local function dissect_datagram(tvb, pinfo, tree)
    local connection = connection_of(pinfo, true)
    local offset, passed, hidden = 0, 0, false
    while offset + 13 <= tvb:len() do
        local length = 13 + tvb(offset + 11, 2):uint()
        if offset + length > tvb:len() then
            break
        end
        local range = tvb(offset, length)
        local is_hello = length >= 25 and range(0, 1):uint() == HANDSHAKE and range(3, 2):uint() == 0 and
            range(13, 1):uint() == CLIENT_HELLO
        local body = is_hello and assemble(connection, tvb, offset, pinfo)
        local hello = body and read_hello(body, true)
        if hello then
            note_hello(connection, hello, pinfo)
            show(connection, hello, range, pinfo, tree)
        end
        if is_hello and connection.client and must_be_hidden(connection, pinfo) then
            pass_on_records(tvb, passed, offset, pinfo, tree)
            decode_apart(dtls, connection, range, pinfo, tree)
            passed, hidden = offset + length, true
        end
        offset = offset + length
    end
    pass_on_records(tvb, passed, tvb:len(), pinfo, tree)
    mention(hidden, pinfo)
    return tvb:len()
end

-- ---- Where it takes part ----

function symtls.dissector(tvb, pinfo, tree)
    if pinfo.port_type == 3 then -- PT_UDP
        return dissect_datagram(tvb, pinfo, tree)
    end
    dissect_stream(tvb, pinfo, tree)
    return tvb:len()
end

-- The first segment may not have all of it.
local function read_beginning(tvb)
    local message, at = ByteArray.new(), 0
    while at + 5 < tvb:len() and tvb(at, 1):uint() == HANDSHAKE do
        local length = math.min(tvb(at + 3, 2):uint(), tvb:len() - at - 5)
        if length == 0 then
            break
        end
        message:append(tvb(at + 5, length):bytes())
        at = at + 5 + length
    end
    return message:len() > 4 and read_hello(message:subset(4, message:len() - 4), false, true)
end

local function is_symmetric_stream(tvb, pinfo, tree)
    if tvb:len() < 11 or tvb(0, 1):uint() ~= HANDSHAKE or tvb(1, 1):uint() ~= 3 or tvb(5, 1):uint() ~= CLIENT_HELLO then
        return false
    end
    if not read_beginning(tvb) then
        return false
    end
    pinfo.conversation = symtls
    dissect_stream(tvb, pinfo, tree)
    return true
end

local function is_symmetric_datagram(tvb, pinfo, tree)
    if tvb:len() < 25 or tvb(0, 1):uint() ~= HANDSHAKE or tvb(1, 1):uint() ~= 254 or tvb(13, 1):uint() ~= CLIENT_HELLO then
        return false
    end
    if not read_hello(tvb(25, math.min(tvb(22, 3):uint(), tvb:len() - 25)):bytes(), true, true) then
        return false
    end
    pinfo.conversation = symtls
    dissect_datagram(tvb, pinfo, tree)
    return true
end

symtls:register_heuristic("tcp", is_symmetric_stream)
symtls:register_heuristic("udp", is_symmetric_datagram)
DissectorTable.get("tcp.port"):add_for_decode_as(symtls)
DissectorTable.get("udp.port"):add_for_decode_as(symtls)

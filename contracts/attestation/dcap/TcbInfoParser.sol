// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// JSON's own quotes read better than escapes.
/* solhint-disable quotes */

import {TeeKind} from "../../interfaces/Types.sol";
import {Cursor, JsonCursor} from "./JsonCursor.sol";
import {Draft, TcbBlob} from "./TcbBlob.sol";

/// @notice What TCB info says of itself; times in unix seconds.
struct TcbInfoHeader {
    TeeKind tee;
    bytes6 fmspc;
    bytes2 pceId;
    uint40 issuedAt;
    uint40 nextUpdate;
    uint32 evaluationNumber;
}

/// @title TcbInfoParser: TCB info, version 3, for TDX or SGX (Intel PCS API v4, "Get TCB Info")
/// @notice The exact signed text: the object that is the value of `tcbInfo`, with keys as Intel orders them.
library TcbInfoParser {
    /// @notice Parses TCB info. Reverts with BadJson. @return blob as TcbBlob describes it.
    function parse(bytes memory json) internal pure returns (TcbInfoHeader memory header, bytes memory blob) {
        Cursor memory cursor = JsonCursor.open(json);
        Draft memory draft = TcbBlob.draft(json.length);
        draft.here += TcbBlob.HEADER;
        _head(cursor, header);
        bool isTdx = header.tee == TeeKind.Tdx;
        uint256 modules = 0;
        if (isTdx) {
            JsonCursor.expect(cursor, '"tdxModule":{"mrsigner":"');
            _module(draft, cursor);
            JsonCursor.expect(cursor, "},");
            if (JsonCursor.accept(cursor, '"tdxModuleIdentities":[')) {
                modules = _modules(draft, cursor);
                JsonCursor.expect(cursor, ",");
            }
        }
        uint256 levelsAt = TcbBlob.length(draft);
        JsonCursor.expect(cursor, '"tcbLevels":[');
        uint256 levels = _levels(draft, cursor, isTdx);
        JsonCursor.expect(cursor, "}");
        JsonCursor.close(cursor);

        uint256 word = (uint256(header.tee) << 48) | uint48(header.fmspc);
        word = (word << 16) | uint16(header.pceId);
        word = (((((word << 16) | levels) << 8) | modules) << 16) | levelsAt;
        word = (word << 48) | TcbBlob.finish(draft);
        blob = TcbBlob.seal(draft, word << 96);
    }

    function _head(Cursor memory cursor, TcbInfoHeader memory header) private pure {
        if (JsonCursor.accept(cursor, '{"id":"TDX","version":3,')) {
            header.tee = TeeKind.Tdx;
        } else {
            JsonCursor.expect(cursor, '{"id":"SGX","version":3,');
            header.tee = TeeKind.Sgx;
        }
        JsonCursor.expect(cursor, '"issueDate":');
        header.issuedAt = JsonCursor.time(cursor);
        JsonCursor.expect(cursor, ',"nextUpdate":');
        header.nextUpdate = JsonCursor.time(cursor);
        JsonCursor.expect(cursor, ',"fmspc":"');
        header.fmspc = bytes6(uint48(JsonCursor.hexNumber(cursor, 12)));
        JsonCursor.expect(cursor, '","pceId":"');
        header.pceId = bytes2(uint16(JsonCursor.hexNumber(cursor, 4)));
        JsonCursor.expect(cursor, '","tcbType":0,');
        JsonCursor.expect(cursor, '"tcbEvaluationDataNumber":');
        header.evaluationNumber = uint32(JsonCursor.number(cursor, type(uint32).max));
        JsonCursor.expect(cursor, ",");
    }

    /// @dev Parses `…","attributes":"…","attributesMask":"…"`, behind the quote before MRSIGNER, and appends all three.
    function _module(Draft memory draft, Cursor memory cursor) private pure {
        for (uint256 i = 0; i < 3; ++i) TcbBlob.append(draft, JsonCursor.hexNumber(cursor, 32), 16);
        JsonCursor.expect(cursor, '","attributes":"');
        TcbBlob.append(draft, JsonCursor.hexNumber(cursor, 16), 8);
        JsonCursor.expect(cursor, '","attributesMask":"');
        TcbBlob.append(draft, JsonCursor.hexNumber(cursor, 16), 8);
        JsonCursor.expect(cursor, '"');
    }

    function _modules(Draft memory draft, Cursor memory cursor) private pure returns (uint256 count) {
        if (JsonCursor.accept(cursor, "]")) return 0;
        do {
            if (++count > TcbBlob.MAX_MODULES) JsonCursor.fail(cursor);
            JsonCursor.expect(cursor, '{"id":"TDX_');
            TcbBlob.append(draft, _version(cursor), 1);
            JsonCursor.expect(cursor, '","mrsigner":"');
            uint256 countAt = draft.here++;
            _module(draft, cursor);
            JsonCursor.expect(cursor, ',"tcbLevels":[');
            uint256 levels = TcbBlob.isvLevels(draft, cursor);
            assembly ("memory-safe") {
                mstore8(countAt, levels)
            }
            JsonCursor.expect(cursor, "}");
        } while (JsonCursor.more(cursor));
    }

    /// @dev Two hex digits in upper case: an id is compared as text off chain, where "TDX_0a" names no version.
    function _version(Cursor memory cursor) private pure returns (uint256 version) {
        uint256 text;
        assembly ("memory-safe") {
            text := shr(240, mload(mload(cursor)))
        }
        // Of all hex digits only letters in lower case have both bits.
        if (text & (text << 1) & 0x4040 != 0) JsonCursor.fail(cursor);
        return JsonCursor.hexNumber(cursor, 2);
    }

    function _levels(
        Draft memory draft,
        Cursor memory cursor,
        bool isTdx
    ) private pure returns (uint256 count) {
        do {
            if (++count > TcbBlob.MAX_LEVELS) JsonCursor.fail(cursor);
            JsonCursor.expect(cursor, '{"tcb":{"sgxtcbcomponents":[');
            uint256 sgx = _components(cursor);
            JsonCursor.expect(cursor, ',"pcesvn":');
            uint256 pceSvn = JsonCursor.number(cursor, type(uint16).max);
            uint256 tdx = 0;
            if (isTdx) {
                JsonCursor.expect(cursor, ',"tdxtcbcomponents":[');
                tdx = _components(cursor);
            }
            uint256 end = TcbBlob.levelEnd(draft, cursor);
            TcbBlob.append(draft, (sgx << 128) | tdx, 32);
            TcbBlob.append(draft, (pceSvn << 16) | end, 4);
        } while (JsonCursor.more(cursor));
    }

    /// @dev 16 components, and the "]" behind them.
    function _components(Cursor memory cursor) private pure returns (uint256 svns) {
        uint256 count = 0;
        while (true) {
            assembly ("memory-safe") {
                // The shortest form is by far the most frequent: `{"svn":`, one digit, `},`. Ten characters are compared
                // with the digit left out. The last component, which "]" follows, never has it.
                let here := mload(cursor)
                for {} lt(count, 15) {} {
                    let text := mload(here)
                    let digit := sub(byte(7, text), 0x30)
                    let differs := and(
                        xor(text, 0x7b2273766e223a007d2c00000000000000000000000000000000000000000000),
                        0xffffffffffffff00ffff00000000000000000000000000000000000000000000
                    )
                    if or(differs, gt(digit, 9)) {
                        break
                    }
                    svns := or(shl(8, svns), digit)
                    here := add(here, 10)
                    count := add(count, 1)
                }
                mstore(cursor, here)
            }
            if (count == 15) return (svns << 8) | _component(cursor, "}]");
            svns = (svns << 8) | _component(cursor, "},");
            unchecked {
                ++count;
            }
        }
    }

    /// @dev `{"svn":…[,"category":"…"[,"type":"…"]]` and its end. The two texts explain and decide nothing.
    function _component(Cursor memory cursor, bytes32 end) private pure returns (uint256 svn) {
        JsonCursor.expect(cursor, '{"svn":');
        svn = JsonCursor.number(cursor, type(uint8).max);
        if (JsonCursor.accept(cursor, ',"category":"')) {
            JsonCursor.skipText(cursor);
            if (JsonCursor.accept(cursor, ',"type":"')) JsonCursor.skipText(cursor);
        }
        JsonCursor.expect(cursor, end);
    }
}

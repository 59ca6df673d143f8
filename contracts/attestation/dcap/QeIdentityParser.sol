// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// JSON's own quotes read better than escapes.
/* solhint-disable quotes */

import {TeeKind} from "../../interfaces/Types.sol";
import {Cursor, JsonCursor} from "./JsonCursor.sol";
import {Draft, TcbBlob} from "./TcbBlob.sol";

/// @notice What the identity of a quoting enclave says of itself; times in unix seconds.
struct QeIdentityHeader {
    TeeKind tee; // whose quotes the enclave signs: id TD_QE is Tdx, QE is Sgx
    uint40 issuedAt;
    uint40 nextUpdate;
    uint32 evaluationNumber;
}

/// @title QeIdentityParser: identity of a quoting enclave, version 2 (Intel PCS API v4, "Get Quoting Enclave Identity")
/// @notice The exact signed text: the object that is the value of `enclaveIdentity`, with keys as Intel orders them.
library QeIdentityParser {
    /// @notice Parses a QE or TD-QE identity. Reverts with BadJson. @return blob as TcbBlob describes it.
    function parse(
        bytes memory json
    ) internal pure returns (QeIdentityHeader memory header, bytes memory blob) {
        Cursor memory cursor = JsonCursor.open(json);
        Draft memory draft = TcbBlob.draft(json.length);
        draft.here += TcbBlob.HEADER;
        _head(cursor, header);
        uint256 miscSelect = _hex(cursor, '"miscselect":"', 8);
        uint256 miscSelectMask = _hex(cursor, '"miscselectMask":"', 8);
        TcbBlob.append(draft, _hex(cursor, '"attributes":"', 32), 16);
        TcbBlob.append(draft, _hex(cursor, '"attributesMask":"', 32), 16);
        JsonCursor.expect(cursor, '"mrsigner":"');
        TcbBlob.append(draft, JsonCursor.hexNumber(cursor, 32), 16);
        TcbBlob.append(draft, JsonCursor.hexNumber(cursor, 32), 16);
        JsonCursor.expect(cursor, '","isvprodid":');
        uint256 isvProdId = JsonCursor.number(cursor, type(uint16).max);
        JsonCursor.expect(cursor, ',"tcbLevels":[');
        uint256 levels = TcbBlob.isvLevels(draft, cursor);
        JsonCursor.expect(cursor, "}");
        JsonCursor.close(cursor);

        uint256 word = (((uint256(header.tee) << 16) | isvProdId) << 8) | levels;
        word = (word << 64) | (miscSelect << 32) | miscSelectMask;
        blob = TcbBlob.seal(draft, (word << 160) | TcbBlob.finish(draft));
    }

    function _head(Cursor memory cursor, QeIdentityHeader memory header) private pure {
        if (JsonCursor.accept(cursor, '{"id":"TD_QE","version":2,')) {
            header.tee = TeeKind.Tdx;
        } else {
            JsonCursor.expect(cursor, '{"id":"QE","version":2,');
            header.tee = TeeKind.Sgx;
        }
        JsonCursor.expect(cursor, '"issueDate":');
        header.issuedAt = JsonCursor.time(cursor);
        JsonCursor.expect(cursor, ',"nextUpdate":');
        header.nextUpdate = JsonCursor.time(cursor);
        JsonCursor.expect(cursor, ',"tcbEvaluationDataNumber":');
        header.evaluationNumber = uint32(JsonCursor.number(cursor, type(uint32).max));
        JsonCursor.expect(cursor, ",");
    }

    /// @dev A key, its hex digits, and what follows.
    function _hex(Cursor memory cursor, bytes32 key, uint256 digits) private pure returns (uint256 value) {
        JsonCursor.expect(cursor, key);
        value = JsonCursor.hexNumber(cursor, digits);
        JsonCursor.expect(cursor, '",');
    }
}

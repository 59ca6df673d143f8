// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapCollateral, PckCa} from "../../../interfaces/IDcapCollateral.sol";
import {DcapDocuments, IDcapDocuments} from "../../../interfaces/IDcapDocuments.sol";
import {TeeKind} from "../../../interfaces/Types.sol";

/// @title DocumentsDouble: documents as a test puts them
contract DocumentsDouble is IDcapDocuments {
    struct Kept {
        DcapDocuments documents;
        uint40 validUntil;
    }

    bool public simulated;
    mapping(TeeKind tee => mapping(bytes6 fmspc => mapping(PckCa ca => Kept kept))) private _kept;

    constructor(bool simulated_) {
        simulated = simulated_;
    }

    function put(
        TeeKind tee,
        bytes6 fmspc,
        PckCa ca,
        DcapDocuments calldata documents,
        uint40 validUntil
    ) external {
        _kept[tee][fmspc][ca] = Kept(documents, validUntil);
    }

    /// @inheritdoc IDcapDocuments
    function documentsOf(
        TeeKind tee,
        bytes6 fmspc,
        PckCa ca
    ) external view returns (DcapDocuments memory, uint40) {
        Kept memory kept = _kept[tee][fmspc][ca];
        require(kept.validUntil != 0, IDcapCollateral.CollateralMissing(tee, fmspc, ca));
        require(
            kept.validUntil > block.timestamp,
            IDcapCollateral.CollateralExpired(kept.validUntil, block.timestamp)
        );
        return (kept.documents, kept.validUntil);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {ProofSystem, Standing, Verdict} from "../../interfaces/Types.sol";

/// @title VerifierDouble: finds every verdict proven, and says of records what it was told
/// @dev For tests of those who consume verdicts; no module deploys it.
contract VerifierDouble is IProofVerifier {
    ProofSystem private immutable _system;
    mapping(uint32 record => Standing told) private _standings;
    mapping(uint32 record => bool known) private _isKnown;

    constructor(ProofSystem system) {
        _system = system;
    }

    function tell(uint32 record, Standing calldata told) external {
        _standings[record] = told;
        _isKnown[record] = true;
    }

    /// @param proof abi.encode(Verdict, uint32 record, uint40 until).
    function verify(bytes calldata proof) external pure returns (Verdict memory, uint32, uint40) {
        return abi.decode(proof, (Verdict, uint32, uint40));
    }

    function standing(uint32 record) external view returns (Standing memory) {
        require(_isKnown[record], UnknownRecord(record));
        return _standings[record];
    }

    function proofSystem() external view returns (ProofSystem) {
        return _system;
    }
}

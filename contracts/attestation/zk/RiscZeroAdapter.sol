// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IZkAdapter} from "../../interfaces/IZkVerifier.sol";

/// @notice RISC Zero's verifier or its router (risc0-ethereum: IRiscZeroVerifier).
interface IRiscZeroVerifier {
    /// @notice Reverts unless `seal` proves that the program of this image halted well with a journal of this SHA-256.
    function verify(bytes calldata seal, bytes32 imageId, bytes32 journalDigest) external view;
}

/// @title RiscZeroAdapter: a program is an image id, a seal the encoded receipt's
contract RiscZeroAdapter is IZkAdapter {
    /// @notice A router routes by the seal's first four bytes, and whoever owns it may add routes: one verifier of one
    /// version trusts nobody further.
    IRiscZeroVerifier public immutable router;

    constructor(IRiscZeroVerifier router_) {
        require(address(router_).code.length != 0, NoGateway(address(router_)));
        router = router_;
    }

    /// @inheritdoc IZkAdapter
    function requireProven(bytes32 program, bytes calldata journal, bytes calldata seal) external view {
        router.verify(seal, program, sha256(journal));
    }
}

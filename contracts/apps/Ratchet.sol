// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAppEvents} from "../interfaces/IApp.sol";
import {Level} from "../interfaces/Types.sol";

/// @title Ratchet: a level only goes up
/// @dev Apart so that it can be proved apart (contracts/formal/Proofs.sol); App's level changes here and nowhere else.
library Ratchet {
    /// @notice The new level. Reverts LevelNotRaised unless it is above the old one.
    function raised(Level oldLevel, Level newLevel) internal pure returns (Level) {
        require(newLevel > oldLevel, IAppEvents.LevelNotRaised(oldLevel, newLevel));
        return newLevel;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title ReenteringReceiver: calls back whoever pays it, once, with what it was told
contract ReenteringReceiver {
    bytes private _call;

    /// @notice Whether the call back succeeded, and what it answered.
    bool public succeeded;
    bytes public answer;

    function arm(bytes calldata call) external {
        _call = call;
    }

    receive() external payable {
        bytes memory call = _call;
        if (call.length == 0) return;
        delete _call;
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, answer) = msg.sender.call(call);
    }
}
